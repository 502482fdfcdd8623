//! From everything a run left to its `run.json`.
//!
//! Apart from the run because it is pure: the same facts give the same file. Invariant: the accounting closes, and the numbers of
//! `variants` and `comparisons` come from the same observations.

use lambda_lab::control::NetworkReport;
use lambda_lab::experiment::{Experiment, LoadProfile};

use crate::comparison::comparisons;
use crate::environment::Environment;
use crate::load;
use crate::metrics::{accounting, variant};
use crate::observation::Observation;
use crate::phases::Surroundings;
use crate::plan::Step;
use crate::run_file::{RunFile, SCHEMA_VERSION, Variant};
use crate::scenario::Offered;
use crate::tracing_cost::SentBytes;

/// A finished run.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// What was to be measured.
    pub experiment: &'a Experiment,
    /// The profile's name.
    pub profile_name: &'a str,
    /// The profile.
    pub profile: &'a LoadProfile,
    /// What its load turns sent.
    pub offered: &'a Offered,
    /// UTC, ISO 8601.
    pub started: String,
    /// UTC, ISO 8601.
    pub finished: String,
    /// Where and how.
    pub environment: Environment,
    /// What the lab says it does not emulate.
    pub not_emulated: Vec<String>,
    /// Each variant's zipped package, in the experiment's order.
    pub package_bytes: &'a [Option<u64>],
    /// Every request.
    pub observations: &'a [Observation],
    /// What the functions sent of their traces.
    pub sent: &'a SentBytes,
    /// Every turn and what was read around it.
    pub turns: &'a [(Step, Surroundings)],
}

/// Computes the run file.
pub fn summarise(facts: Facts<'_>) -> RunFile {
    let prices = facts.environment.prices.clone();
    let schedule_s = facts.offered.span.as_secs_f64();
    let variants: Vec<_> = facts
        .experiment
        .variants
        .iter()
        .zip(facts.package_bytes)
        .map(|(function, package_bytes)| {
            let own = |name: &str| name == function.name;
            let observations: Vec<_> =
                facts.observations.iter().filter(|seen| own(&seen.sample.variant)).collect();
            let turns: Vec<_> =
                facts.turns.iter().filter(|(step, _)| own(&step.variant)).map(|(_, read)| read).collect();
            let apdex = load::apdex_at(&observations, facts.offered.apdex_threshold_ms);
            let numbers =
                variant(function, *package_bytes, &observations, &turns, schedule_s, &prices, facts.sent);
            Variant { apdex, ..numbers }
        })
        .collect();
    let comparisons = comparisons(&variants, facts.observations, facts.profile.rounds, &prices);
    let modelled = modelled(&facts.environment.network);
    RunFile {
        schema_version: SCHEMA_VERSION,
        experiment: facts.experiment.name.clone(),
        description: facts.experiment.description.clone(),
        profile: facts.profile_name.to_owned(),
        started: facts.started,
        finished: facts.finished,
        environment: facts.environment,
        modelled,
        not_emulated: facts.not_emulated,
        accounting: accounting(facts.observations),
        variants,
        comparisons,
        control: None,
        ladder: Vec::new(),
        capacity: None,
        partial: None,
    }
}

/// What of a run with `network` is modelled, in the words of the report.
fn modelled(network: &NetworkReport) -> Vec<String> {
    if network.round_trips_ms.is_empty() {
        return Vec::new();
    }
    let added = network.round_trips_ms.iter();
    let added = added.map(|(dependency, round_trip_ms)| format!("{round_trip_ms} ms to {dependency}"));
    let added = added.collect::<Vec<_>>().join(", ");
    vec![format!("distance: {} adds to each round trip {added}", network.name)]
}
