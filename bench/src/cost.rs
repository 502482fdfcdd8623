//! What a million requests cost at list prices, from what was billed of the requests that were measured.
//!
//! Apart from the metrics because it is the bill's own arithmetic, and is tested against AWS's own examples. The mix of cold and warm
//! is the load phase's: every invocation of it, failed ones too, since those are billed. Where there was no load it is the warm
//! phase's, which has no cold start. Invariant: the parts add up to the whole; what is not billed by the request (database, RDS
//! Proxy, cache, data transfer, logs, traces) is not in it.

use std::collections::BTreeMap;

use lambda_lab::records::Invocation;

use crate::observation::Observation;
use crate::prices::Prices;
use crate::run_file::Cost;
use crate::sample::{Phase, Sample};

/// What a number of requests used, in the units of the bill; GB are of 1,024 MB.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Invocations.
    pub requests: u64,
    /// Those that waited for a new sandbox.
    pub cold_starts: u64,
    /// Billed duration in sandboxes started on demand, their INIT included.
    pub on_demand_gb_s: f64,
    /// What of it is INIT.
    pub init_gb_s: f64,
    /// Billed duration in sandboxes of provisioned concurrency.
    pub in_provisioned_gb_s: f64,
    /// Provisioned concurrency, for as long as these requests took to arrive.
    pub provisioned_gb_s: f64,
}

impl Usage {
    /// What a million of these requests cost; none where there were none.
    pub fn cost(&self, prices: &Prices) -> Option<Cost> {
        if self.requests == 0 {
            return None;
        }
        let requests = self.requests as f64;
        let per_million = |gb_s: f64, usd_per_gb_s: f64| 1e6 * gb_s / requests * usd_per_gb_s;
        let duration_usd = per_million(self.on_demand_gb_s, prices.usd_per_gb_second)
            + per_million(self.in_provisioned_gb_s, prices.usd_per_gb_second_in_provisioned);
        let provisioned_usd = per_million(self.provisioned_gb_s, prices.usd_per_gb_second_provisioned);
        let (requests_usd, api_usd) = (prices.usd_per_million_requests, prices.usd_per_million_api_requests);
        Some(Cost {
            per_million_usd: requests_usd + duration_usd + api_usd + provisioned_usd,
            requests_usd,
            duration_usd,
            init_usd: per_million(self.init_gb_s, prices.usd_per_gb_second),
            api_usd,
            provisioned_usd,
            cold_share: self.cold_starts as f64 / requests,
            requests: self.requests,
        })
    }

    fn add(&mut self, invocation: &Invocation) {
        let gb_s = |billed_ms: u64| gb(invocation) * billed_ms as f64 / 1e3;
        self.requests += 1;
        self.cold_starts += u64::from(invocation.cold);
        if invocation.provisioned {
            self.in_provisioned_gb_s += gb_s(invocation.billed_ms);
        } else {
            self.on_demand_gb_s += gb_s(invocation.billed_ms);
            self.init_gb_s += gb_s(billed_for_init_ms(invocation));
        }
    }
}

/// What a million requests cost at the mix that `observations` of one variant show, of one round or of all; none where nothing was
/// billed, or where there is provisioned concurrency and too few requests to know their rate.
pub fn cost(observations: &[&Observation], prices: &Prices) -> Option<Cost> {
    let under_load: Vec<&Observation> = of_phase(observations, Phase::Load);
    let mix = if under_load.is_empty() { warm(observations) } else { under_load };
    let mut usage = Usage::default();
    let invocations = || mix.iter().filter_map(|observation| observation.invocation.as_ref());
    invocations().for_each(|invocation| usage.add(invocation));
    let provisioned_gb =
        |invocation: &Invocation| gb(invocation) * f64::from(invocation.provisioned_concurrency);
    let kept_gb = invocations().map(provisioned_gb).fold(0.0, f64::max);
    if kept_gb > 0.0 {
        usage.provisioned_gb_s = kept_gb * usage.requests as f64 / rate(&mix)?;
    }
    usage.cost(prices)
}

/// [`cost`]'s one number.
pub fn per_million_usd(observations: &[&Observation], prices: &Prices) -> Option<f64> {
    cost(observations, prices).map(|cost| cost.per_million_usd)
}

fn of_phase<'a>(observations: &[&'a Observation], phase: Phase) -> Vec<&'a Observation> {
    observations.iter().copied().filter(|observation| observation.sample.phase == phase).collect()
}

/// Answered requests that a warm sandbox served: as the warm durations count them.
fn warm<'a>(observations: &[&'a Observation]) -> Vec<&'a Observation> {
    let mut warm = of_phase(observations, Phase::Warm);
    warm.retain(|observation| observation.sample.answered() && observation.sample.cold != Some(true));
    warm
}

/// Requests a second as they were meant to be sent, dropped ones included; none with fewer than two in each round.
fn rate(observations: &[&Observation]) -> Option<f64> {
    let mut rounds: BTreeMap<u32, Vec<&Sample>> = BTreeMap::new();
    for Observation { sample, .. } in observations {
        rounds.entry(sample.round).or_default().push(sample);
    }
    let (mut gaps, mut elapsed_s) = (0.0, 0.0);
    for samples in rounds.values() {
        let intended = || samples.iter().map(|sample| sample.intended_us);
        let span_us = intended().max()? - intended().min()?;
        gaps += (samples.len() - 1) as f64;
        elapsed_s += span_us as f64 / 1e6;
    }
    (elapsed_s > 0.0).then(|| gaps / elapsed_s)
}

/// The function's memory in GB.
fn gb(invocation: &Invocation) -> f64 {
    f64::from(invocation.memory_mb) / 1024.0
}

/// How much longer the billed duration is because of INIT.
fn billed_for_init_ms(invocation: &Invocation) -> u64 {
    // A duration in milliseconds is positive and far below 2^53.
    let without_ms = invocation.duration_ms.ceil() as u64;
    invocation.init_ms.map_or(0, |_| invocation.billed_ms.saturating_sub(without_ms))
}
