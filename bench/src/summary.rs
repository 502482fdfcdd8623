//! From everything a run left to its `run.json`.
//!
//! Apart from the run because it is pure: the same facts give the same file. Invariant: the accounting closes, and the numbers of
//! `variants` and `comparisons` come from the same observations: those of whole rounds.

use lambda_lab::control::NetworkReport;
use lambda_lab::experiment::{Experiment, LoadProfile};

use crate::comparison::comparisons;
use crate::environment::Environment;
use crate::ladder::rungs;
use crate::load;
use crate::metrics::{accounting, variant};
use crate::noise_floor::{controls, noise_floor};
use crate::observation::Observation;
use crate::phases::Surroundings;
use crate::plan::Step;
use crate::rounds::Rounds;
use crate::run_file::{Partial, RunFile, SCHEMA_VERSION, TraceComparison, Variant};
use crate::scenario::Offered;
use crate::tracing_cost::SentBytes;

/// A run, finished or ended early.
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
    /// Where the time went.
    pub traces: Option<TraceComparison>,
    /// Why it ended before its plan was done, and how many rounds are whole; none for a whole run.
    pub partial: Option<Partial>,
}

/// Computes the run file.
pub fn summarise(mut facts: Facts<'_>) -> RunFile {
    let rounds = facts.partial.as_ref().map_or(facts.profile.rounds, |partial| partial.rounds);
    facts.environment.interference.retain(|suffered| suffered.round <= rounds);
    // They stand in the order they were measured in, so those of whole rounds are the first.
    let whole = facts.observations.partition_point(|seen| seen.sample.round <= rounds);
    let of_whole_rounds = &facts.observations[..whole];
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
                of_whole_rounds.iter().filter(|seen| own(&seen.sample.variant)).collect();
            let whole = |step: &Step| own(&step.variant) && step.round <= rounds;
            let turns: Vec<_> =
                facts.turns.iter().filter(|(step, _)| whole(step)).map(|(_, read)| read).collect();
            let numbers =
                variant(function, *package_bytes, &observations, &turns, schedule_s, &prices, facts.sent);
            let by_round = Rounds::of(&function.name, of_whole_rounds, rounds, &prices);
            let apdex = load::apdex_at(&observations, facts.offered.apdex_threshold_ms);
            Variant { apdex, per_round: by_round.published(), ..numbers }
        })
        .collect();
    let control = controls(&facts.profile.control, of_whole_rounds, rounds, &prices);
    let is_ladder = facts.experiment.is_ladder();
    let comparisons = comparisons(&variants, of_whole_rounds, rounds, &prices, &control, is_ladder);
    let ladder = rungs(&facts.experiment.variants, &variants, |metric| noise_floor(&control, metric));
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
        control,
        ladder,
        capacity: None,
        sizes: Vec::new(),
        tuning: None,
        traces: facts.traces,
        partial: facts.partial,
    }
}

/// What of a run with `network` is modelled, in the words of the report.
pub(crate) fn modelled(network: &NetworkReport) -> Vec<String> {
    if network.round_trips_ms.is_empty() {
        return Vec::new();
    }
    let added = network.round_trips_ms.iter();
    let added = added.map(|(dependency, round_trip_ms)| format!("{round_trip_ms} ms to {dependency}"));
    let added = added.collect::<Vec<_>>().join(", ");
    vec![format!("distance: {} adds to each round trip {added}", network.name)]
}
