//! The numbers of the open-loop load phase.
//!
//! Apart from the other metrics because this phase also tells about the bench and the host: how late it sent, whether the
//! processors were the limit. Invariant: every arrival counts, dropped and failed ones too.

use std::collections::BTreeMap;

use crate::host::idle_share;
use crate::metrics::{accounting, cold_starts, errors_by_name, quantiles, values};
use crate::observation::Observation;
use crate::phases::Surroundings;
use crate::run_file::{Load, SendLag};
use crate::sample::{Phase, Sample};
use crate::statistics::{published_quantile, quantile, sorted};

/// Apdex: answers up to this are satisfying, up to four times this tolerable, unless a scenario says another.
pub const APDEX_THRESHOLD_MS: f64 = 100.0;
/// With less idle time than this, the host was the bottleneck.
const HOST_LIMITED_IDLE_SHARE: f64 = 0.10;
/// With a greater share of the send lag in the response, both medians, the bench was. The lag is part of every variant's response,
/// so a smaller share only draws a ratio towards 1; it makes no difference where there is none.
const GENERATOR_LIMITED_SHARE: f64 = 0.25;

/// The client's response time under load.
pub fn load_response_ms(observation: &Observation) -> Option<f64> {
    observation.sample.response_ms().filter(|_| observation.sample.phase == Phase::Load)
}

/// How late the bench sent under load.
pub fn send_lag_ms(observation: &Observation) -> Option<f64> {
    observation.sample.send_lag_ms().filter(|_| observation.sample.phase == Phase::Load)
}

/// Whether the bench itself sent so late that the response times under load are its own: such a round is void.
pub fn is_late(observations: &[&Observation]) -> bool {
    let median = |series| quantile(&sorted(values(observations, series)), 50);
    median(send_lag_ms)
        .zip(median(load_response_ms))
        .is_some_and(|(lag, response)| lag > GENERATOR_LIMITED_SHARE * response)
}

/// The load block of one variant; none where it had no load turn. `schedule_s` is how long the arrivals of one round last.
pub fn load(all: &[&Observation], turns: &[&Surroundings], schedule_s: f64) -> Option<Load> {
    let observations = under_load(all);
    if observations.is_empty() {
        return None;
    }
    let counted = accounting(observations.iter().copied());
    let rounds = by_round(&observations);
    let elapsed_s: f64 = rounds.values().map(|round| elapsed_s(round, schedule_s)).sum();
    let cpu: Vec<_> = turns
        .iter()
        .filter_map(|turn| match turn {
            Surroundings::Load { cpu } => Some(*cpu),
            Surroundings::Cold | Surroundings::Warm { .. } => None,
        })
        .collect();
    let lags = sorted(values(&observations, send_lag_ms));
    Some(Load {
        requests: counted.sent,
        offered_rate: counted.sent as f64 / (schedule_s * rounds.len() as f64),
        achieved_rate: counted.answered as f64 / elapsed_s,
        response_ms: quantiles(&observations, load_response_ms),
        cold_starts: cold_starts(&observations),
        errors: errors_by_name(&observations),
        dropped: counted.dropped,
        send_lag_ms: SendLag { p50: published_quantile(&lags, 50), p99: published_quantile(&lags, 99) },
        peak_sandboxes: rounds.values().map(|round| peak_sandboxes(round)).max().unwrap_or(0),
        host_limited: idle_share(&cpu).map(host_limited),
        generator_limited: is_late(&observations),
    })
}

/// Whether processors that were idle for this share were the bottleneck.
pub fn host_limited(idle_share: f64) -> bool {
    idle_share < HOST_LIMITED_IDLE_SHARE
}

/// Apdex of the load phase; none without one.
pub fn apdex(all: &[&Observation]) -> Option<f64> {
    apdex_at(all, APDEX_THRESHOLD_MS)
}

/// Apdex of the load phase at another threshold.
pub fn apdex_at(all: &[&Observation], threshold_ms: f64) -> Option<f64> {
    let observations = under_load(all);
    let score = |sample: &Sample| match sample.response_ms().filter(|_| sample.answered()) {
        Some(response_ms) if response_ms <= threshold_ms => 1.0,
        Some(response_ms) if response_ms <= 4.0 * threshold_ms => 0.5,
        _ => 0.0,
    };
    let total: f64 = observations.iter().map(|observation| score(&observation.sample)).sum();
    (!observations.is_empty()).then(|| total / observations.len() as f64)
}

fn under_load<'a>(observations: &[&'a Observation]) -> Vec<&'a Observation> {
    observations.iter().copied().filter(|observation| observation.sample.phase == Phase::Load).collect()
}

fn by_round<'a>(observations: &[&'a Observation]) -> BTreeMap<u32, Vec<&'a Observation>> {
    let mut rounds: BTreeMap<u32, Vec<&Observation>> = BTreeMap::new();
    for observation in observations {
        rounds.entry(observation.sample.round).or_default().push(observation);
    }
    rounds
}

/// Until the schedule's end, or longer if answers came later.
fn elapsed_s(round: &[&Observation], schedule_s: f64) -> f64 {
    let last_us = round.iter().filter_map(|observation| observation.sample.done_us).max().unwrap_or(0);
    schedule_s.max(last_us as f64 / 1e6)
}

/// The most invocations at one time, from the start of INIT to the end of the invocation.
pub fn peak_sandboxes(round: &[&Observation]) -> u64 {
    let microseconds = |milliseconds: f64| (milliseconds * 1000.0) as u64;
    let mut changes: Vec<(u64, i32)> = Vec::new();
    for invocation in round.iter().filter_map(|observation| observation.invocation.as_ref()) {
        let begun = invocation.started_unix_us - microseconds(invocation.init_ms.unwrap_or(0.0));
        changes.push((begun, 1));
        changes.push((invocation.started_unix_us + microseconds(invocation.duration_ms), -1));
    }
    // At one instant the endings (-1) sort before the beginnings: a sandbox handed on is one sandbox.
    changes.sort_unstable();
    let mut busy = 0;
    let peak = changes.iter().map(|(_, change)| {
        busy += change;
        busy
    });
    u64::try_from(peak.max().unwrap_or(0)).unwrap_or(0)
}
