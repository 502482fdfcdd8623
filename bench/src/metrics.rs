//! From one variant's observations to its numbers in `run.json`.
//!
//! Apart from the measuring because it is arithmetic over rows and is tested with rows. What a number is made of is said once, as
//! a [`Series`]; pooled numbers, rounds and comparisons all use it. Invariant: failed requests never enter a latency, except
//! time-outs, which enter the client's response times at their limit.

use std::collections::BTreeMap;

use lambda_lab::experiment::Function;
use lambda_lab::records::Invocation;

use crate::cost;
use crate::distributions::{distributions, load_seconds};
use crate::load;
use crate::observation::Observation;
use crate::outliers::warm_outliers;
use crate::phases::Surroundings;
use crate::prices::Prices;
use crate::run_file::{Accounting, Dependencies, Quantiles, Variant};
use crate::sample::Phase;
use crate::statistics::{mean, published_quantile, sorted};
use crate::tracing_cost::{SentBytes, tracing_cost};

/// The value an observation contributes to a metric, if any.
pub type Series = fn(&Observation) -> Option<f64>;

/// An answered request of the warm phase that a warm sandbox served. One in flight does not rule a cold start out: a sandbox whose
/// extensions are still busy gets no next request.
fn warm(observation: &Observation) -> Option<&Invocation> {
    let sample = &observation.sample;
    let invocation = observation.invocation.as_ref().filter(|invocation| !invocation.cold)?;
    (sample.phase == Phase::Warm && sample.answered()).then_some(invocation)
}

/// The invocation of an answered request of the cold phase.
fn cold(observation: &Observation) -> Option<&Invocation> {
    let sample = &observation.sample;
    observation.invocation.as_ref().filter(|_| sample.phase == Phase::Cold && sample.answered())
}

/// REPORT Duration, warm.
pub fn warm_ms(observation: &Observation) -> Option<f64> {
    warm(observation).map(|invocation| invocation.duration_ms)
}

/// The client's response time, warm.
pub fn response_ms(observation: &Observation) -> Option<f64> {
    let sample = &observation.sample;
    sample.response_ms().filter(|_| sample.phase == Phase::Warm && sample.cold != Some(true))
}

/// The client's response time in the cold phase.
pub fn cold_ms(observation: &Observation) -> Option<f64> {
    observation.sample.response_ms().filter(|_| observation.sample.phase == Phase::Cold)
}

/// Init Duration in the cold phase.
pub fn init_ms(observation: &Observation) -> Option<f64> {
    cold(observation)?.init_ms
}

/// Processor time of INIT in the cold phase.
pub fn init_cpu_ms(observation: &Observation) -> Option<f64> {
    cold(observation)?.init_cpu_ms
}

/// Processor time, warm.
pub fn cpu_ms(observation: &Observation) -> Option<f64> {
    warm(observation)?.cpu_ms
}

/// Time kept from running by the CPU share, warm.
pub fn throttled_ms(observation: &Observation) -> Option<f64> {
    warm(observation)?.throttled_ms
}

/// The values `series` has in `observations`.
pub fn values(observations: &[&Observation], series: Series) -> Vec<f64> {
    observations.iter().filter_map(|observation| series(observation)).collect()
}

/// The published quantiles of `series`.
pub fn quantiles(observations: &[&Observation], series: Series) -> Quantiles {
    let sorted = sorted(values(observations, series));
    Quantiles {
        p50: published_quantile(&sorted, 50),
        p90: published_quantile(&sorted, 90),
        p99: published_quantile(&sorted, 99),
    }
}

/// Where the requests of `observations` went.
pub fn accounting<'a>(observations: impl IntoIterator<Item = &'a Observation>) -> Accounting {
    let mut accounting = Accounting::default();
    for Observation { sample, .. } in observations {
        accounting.sent += 1;
        if sample.answered() {
            accounting.answered += 1;
        } else if sample.dropped() {
            accounting.dropped += 1;
        } else {
            accounting.failed += 1;
        }
    }
    accounting
}

/// How many requests failed, by name; dropped ones are not among them.
pub fn errors_by_name(observations: &[&Observation]) -> BTreeMap<String, u64> {
    let mut errors = BTreeMap::new();
    for Observation { sample, .. } in observations.iter().filter(|observation| !observation.sample.dropped())
    {
        if let Some(name) = &sample.error {
            *errors.entry(name.clone()).or_default() += 1;
        }
    }
    errors
}

/// How many of `observations` were cold starts.
pub fn cold_starts(observations: &[&Observation]) -> u64 {
    observations.iter().filter(|observation| observation.sample.cold == Some(true)).count() as u64
}

/// All of `function`'s numbers. `observations` are its own; `turns` are what was read around its turns.
pub fn variant(
    function: &Function,
    package_bytes: Option<u64>,
    observations: &[&Observation],
    turns: &[&Surroundings],
    schedule_s: f64,
    prices: &Prices,
    sent: &SentBytes,
) -> Variant {
    let accounting = accounting(observations.iter().copied());
    let cost = cost::cost(observations, prices);
    let memory = observations.iter().filter_map(|observation| observation.invocation.as_ref()?.max_memory_mb);
    Variant {
        name: function.name.clone(),
        memory_mb: function.memory_mb,
        requests: accounting.sent,
        errors: accounting.failed,
        errors_by_name: errors_by_name(observations),
        dropped: accounting.dropped,
        cold_starts: cold_starts(observations),
        warm_ms: quantiles(observations, warm_ms),
        cold_ms: quantiles(observations, cold_ms),
        init_ms: quantiles(observations, init_ms),
        response_ms: quantiles(observations, response_ms),
        cpu_ms_per_invoke: mean(&values(observations, cpu_ms)),
        throttled_ms_per_invoke: mean(&values(observations, throttled_ms)),
        init_cpu_ms: mean(&values(observations, init_cpu_ms)),
        max_memory_mb: memory.reduce(f64::max),
        tps_per_sandbox: mean(&values(observations, warm_ms))
            .filter(|mean| *mean > 0.0)
            .map(|mean| 1000.0 / mean),
        apdex: load::apdex(observations),
        cost_per_million_usd: cost.map(|cost| cost.per_million_usd),
        package_bytes,
        load: load::load(observations, turns, schedule_s),
        dependencies: dependencies(observations, turns),
        tracing_cost: tracing_cost(observations, sent),
        per_round: BTreeMap::new(),
        outliers: warm_outliers(observations),
        cost,
        distributions: distributions(observations),
        load_seconds: load_seconds(observations),
    }
}

/// What the dependencies counted during the warm phases, divided by the invocations of those phases.
fn dependencies(observations: &[&Observation], turns: &[&Surroundings]) -> Dependencies {
    let invocations = observations
        .iter()
        .filter(|observation| observation.sample.phase == Phase::Warm && observation.invocation.is_some())
        .count();
    let per_invoke = |count: fn(&lambda_lab::control::Counters) -> Option<u64>| {
        let mut passed = 0;
        for turn in turns {
            if let Surroundings::Warm { before, after } = turn {
                passed += count(after)?.saturating_sub(count(before).unwrap_or(0));
            }
        }
        (invocations > 0).then(|| passed as f64 / invocations as f64)
    };
    Dependencies {
        ssm_get_parameters_per_invoke: per_invoke(|counters| {
            let calls = counters.ssm.iter().filter(|(operation, _)| operation.starts_with("GetParameter"));
            Some(calls.map(|(_, count)| count).sum())
        }),
        new_connections_per_invoke: per_invoke(|counters| counters.pgbouncer.get("logins").copied()),
    }
}
