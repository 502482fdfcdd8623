//! From finished situations to `run.json`.
//!
//! Apart from the driving because it is pure. Invariant: the accounting closes over all requests of the climbs, warm-ups included,
//! and what a climb does not measure of a variant is none: at its limit a duration is no warm duration.

use std::collections::BTreeMap;

use lambda_lab::experiment::{Experiment, Function};

use crate::client::TIME_LIMIT;
use crate::environment::{Environment, Profile as ProfileNumbers};
use crate::load::APDEX_THRESHOLD_MS;
use crate::metrics::{accounting, cold_starts, errors_by_name, variant};
use crate::observation::Observation;
use crate::prices::Prices;
use crate::run_file::{Accounting, Capacity, Partial, RunFile, SCHEMA_VERSION, Situation, Variant};
use crate::scenario::Form;
use crate::summary::modelled;
use crate::tracing_cost::SentBytes;

use super::knees::{knee, ratios};
use super::settings::{Profile, Settings};
use super::situation::Measured;

/// Counts by variant, so that the requests themselves need not be kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally(BTreeMap<String, Count>);

#[derive(Clone, Debug, Default)]
struct Count {
    accounting: Accounting,
    errors: BTreeMap<String, u64>,
    cold_starts: u64,
    max_memory_mb: Option<f64>,
}

impl Tally {
    /// Adds requests of one variant.
    pub(super) fn add(&mut self, observations: &[Observation]) {
        let Some(first) = observations.first() else { return };
        let all: Vec<&Observation> = observations.iter().collect();
        let memory = all.iter().filter_map(|seen| seen.invocation.as_ref()?.max_memory_mb);
        let added = Count {
            accounting: accounting(all.iter().copied()),
            errors: errors_by_name(&all),
            cold_starts: cold_starts(&all),
            max_memory_mb: memory.reduce(f64::max),
        };
        self.0.entry(first.sample.variant.clone()).or_default().add(&added);
    }

    fn merge(&mut self, other: &Self) {
        for (variant, count) in &other.0 {
            self.0.entry(variant.clone()).or_default().add(count);
        }
    }
}

impl Count {
    fn add(&mut self, other: &Self) {
        self.accounting.sent += other.accounting.sent;
        self.accounting.answered += other.accounting.answered;
        self.accounting.failed += other.accounting.failed;
        self.accounting.dropped += other.accounting.dropped;
        for (name, count) in &other.errors {
            *self.errors.entry(name.clone()).or_default() += count;
        }
        self.cold_starts += other.cold_starts;
        self.max_memory_mb = [self.max_memory_mb, other.max_memory_mb].into_iter().flatten().reduce(f64::max);
    }
}

/// Everything about a run of climbs but what was measured.
#[derive(Clone, Debug)]
pub(super) struct Facts<'a> {
    pub(super) experiment: &'a Experiment,
    pub(super) profile_name: &'a str,
    pub(super) profile: &'a Profile,
    pub(super) settings: &'a Settings,
    /// The variants that were driven, in the experiment's order.
    pub(super) names: &'a [String],
    /// Each one's zipped package.
    pub(super) package_bytes: &'a [Option<u64>],
    pub(super) environment: Environment,
    /// UTC, ISO 8601.
    pub(super) started: String,
    pub(super) finished: String,
    pub(super) partial: Option<Partial>,
}

/// The profile's numbers as far as a run of climbs has them.
pub(super) fn profile_numbers(profile: &Profile) -> ProfileNumbers {
    ProfileNumbers {
        rounds: profile.rounds,
        cold_starts: 0,
        warm_up_requests: 0,
        warm_requests: 0,
        arrivals: Vec::new(),
        scenarios: Vec::new(),
        ramps: Form::Continuous,
        time_limit_ms: TIME_LIMIT.as_secs_f64() * 1e3,
        apdex_threshold_ms: APDEX_THRESHOLD_MS,
    }
}

/// Computes the run file of `measured`, of which there is at least one.
pub(super) fn run_file(facts: Facts<'_>, measured: &[Measured]) -> RunFile {
    let mut tally = Tally::default();
    measured.iter().for_each(|situation| tally.merge(&situation.tally));
    let functions = facts.experiment.variants.iter().zip(facts.package_bytes);
    let driven = functions.filter(|(function, _)| facts.names.contains(&function.name));
    let prices = facts.environment.prices.clone();
    let variants: Vec<Variant> = driven
        .map(|(function, bytes)| {
            let count = tally.0.get(&function.name).cloned().unwrap_or_default();
            counted(function, *bytes, count, &prices)
        })
        .collect();
    let mut all = Count::default();
    tally.0.values().for_each(|count| all.add(count));
    RunFile {
        schema_version: SCHEMA_VERSION,
        experiment: facts.experiment.name.clone(),
        description: facts.experiment.description.clone(),
        profile: facts.profile_name.to_owned(),
        started: facts.started,
        finished: facts.finished,
        modelled: modelled(&facts.environment.network),
        environment: facts.environment,
        not_emulated: not_emulated(measured),
        accounting: all.accounting,
        variants,
        comparisons: Vec::new(),
        control: Vec::new(),
        ladder: Vec::new(),
        capacity: Some(Capacity {
            error_share: facts.settings.error_share,
            apdex: facts.settings.apdex,
            factor: facts.profile.factor,
            bisections: facts.profile.bisections,
            situations: measured
                .iter()
                .map(|measured| situation(measured, facts.profile, facts.names))
                .collect(),
        }),
        sizes: Vec::new(),
        tuning: None,
        traces: None,
        partial: facts.partial,
    }
}

fn situation(measured: &Measured, profile: &Profile, names: &[String]) -> Situation {
    let Measured { situation, climbs, .. } = measured;
    let reserved = situation.reserved_concurrency.map(std::num::NonZero::get);
    let knees: Vec<_> = names.iter().map(|name| knee(name, climbs, reserved)).collect();
    Situation {
        name: situation.name.clone(),
        description: situation.description.clone(),
        reserved_concurrency: reserved,
        concurrent_executions: situation.concurrent_executions.map(std::num::NonZero::get),
        ssm_per_second: situation.ssm_per_second.map(std::num::NonZero::get),
        step_s: profile.step(situation).as_secs_f64(),
        warm_up_s: profile.warm_up(situation).as_secs_f64(),
        start_rate: situation.start_rate.get(),
        ceiling: situation.ceiling.get(),
        ratios: ratios(&knees),
        knees,
    }
}

/// What the labs did not emulate; of what only some of them did not, their situations' names are told.
fn not_emulated(measured: &[Measured]) -> Vec<String> {
    let mut told: Vec<(&str, Vec<&str>)> = Vec::new();
    for situation in measured {
        for item in &situation.ready.not_emulated {
            let name = situation.situation.name.as_str();
            match told.iter_mut().find(|(known, _)| known == item) {
                Some((_, names)) => names.push(name),
                None => told.push((item, vec![name])),
            }
        }
    }
    let words = told.into_iter().map(|(item, names)| match names.len() == measured.len() {
        true => item.to_owned(),
        false => format!("{item} (in {})", names.join(", ")),
    });
    words.collect()
}

/// A variant of which only these counts are known.
fn counted(function: &Function, package_bytes: Option<u64>, count: Count, prices: &Prices) -> Variant {
    let unknown = variant(function, package_bytes, &[], &[], 0.0, prices, &SentBytes::default());
    Variant {
        requests: count.accounting.sent,
        errors: count.accounting.failed,
        errors_by_name: count.errors,
        dropped: count.accounting.dropped,
        cold_starts: count.cold_starts,
        max_memory_mb: count.max_memory_mb,
        ..unknown
    }
}
