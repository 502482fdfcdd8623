//! From one variant's observations to what its pictures are drawn from.
//!
//! Apart from the metrics because no verdict comes from here. Invariant: failed requests enter no distribution, except time-outs at
//! their limit, as in the metrics; every request of the load phase is in one of its seconds.

use std::collections::{BTreeMap, HashSet};

use crate::load::load_response_ms;
use crate::metrics::{Series, cold_ms, init_ms, response_ms, values, warm_ms};
use crate::observation::Observation;
use crate::run_file::{Distribution, Distributions, LoadSecond};
use crate::sample::Phase;
use crate::statistics::{quantile, sorted};

const MICROSECONDS_A_SECOND: u64 = 1_000_000;

/// The distributions of one variant's `observations`.
pub fn distributions(observations: &[&Observation]) -> Distributions {
    let of = |series: Series| distribution(values(observations, series));
    Distributions {
        warm_ms: of(warm_ms),
        response_ms: of(response_ms),
        cold_ms: of(cold_ms),
        init_ms: of(init_ms),
        load_ms: of(load_response_ms),
    }
}

/// Where `values` lie; none of nothing.
pub fn distribution(values: Vec<f64>) -> Option<Distribution> {
    let sorted = sorted(values);
    let nearest = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).max(1) - 1).copied();
    let percentiles: Option<Vec<f64>> = (0..=100).map(nearest).collect();
    Some(Distribution { count: sorted.len() as u64, percentiles: percentiles? })
}

/// The load phase of one variant's `observations`, second by second; seconds without a request are left out.
pub fn load_seconds(observations: &[&Observation]) -> Vec<LoadSecond> {
    let mut by_second: BTreeMap<u32, Vec<&Observation>> = BTreeMap::new();
    for observation in observations.iter().filter(|observation| observation.sample.phase == Phase::Load) {
        let second = observation.sample.intended_us / MICROSECONDS_A_SECOND;
        by_second.entry(u32::try_from(second).unwrap_or(u32::MAX)).or_default().push(observation);
    }
    by_second.into_iter().map(|(second, observations)| load_second(second, &observations)).collect()
}

fn load_second(second: u32, observations: &[&Observation]) -> LoadSecond {
    let is_cold = |observation: &Observation| observation.sample.cold == Some(true);
    let of = |cold: bool| {
        let wanted = observations.iter().filter(|observation| is_cold(observation) == cold);
        sorted(wanted.filter_map(|observation| load_response_ms(observation)))
    };
    let (warm, cold) = (of(false), of(true));
    LoadSecond {
        second,
        requests: observations.len() as u64,
        failed: observations.iter().filter(|observation| !observation.sample.answered()).count() as u64,
        cold_starts: observations.iter().filter(|observation| is_cold(observation)).count() as u64,
        warm_p50_ms: quantile(&warm, 50),
        warm_max_ms: warm.last().copied(),
        cold_max_ms: cold.last().copied(),
        sandboxes: sandboxes(observations),
    }
}

/// How many served `observations`, in the round in which it was most.
fn sandboxes(observations: &[&Observation]) -> u32 {
    let mut by_round: BTreeMap<u32, HashSet<&str>> = BTreeMap::new();
    for observation in observations {
        let sandbox = observation.invocation.as_ref().map(|invocation| invocation.sandbox.as_str());
        by_round.entry(observation.sample.round).or_default().extend(sandbox);
    }
    let most = by_round.values().map(HashSet::len).max().unwrap_or(0);
    u32::try_from(most).unwrap_or(u32::MAX)
}
