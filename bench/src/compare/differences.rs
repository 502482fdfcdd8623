//! What else differs between two runs: machine, build, settings.
//!
//! Apart from the figures because none of it is one. Invariant: what differs is listed, never judged by its size; what makes two runs
//! different experiments is a warning and not a mere line of the list.

use std::fmt::Display;

use crate::environment::Profile;
use crate::run_file::RunFile;

/// What differs, each as `what: from -> to`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// What makes the runs different experiments.
    pub warnings: Vec<String>,
    /// Everything else.
    pub listed: Vec<String>,
}

/// What differs between `from` and `to` beside their figures.
pub fn differences(from: &RunFile, to: &RunFile) -> Differences {
    Differences { warnings: warnings(from, to), listed: listed(from, to) }
}

fn warnings(from_run: &RunFile, to_run: &RunFile) -> Vec<String> {
    let (from, to) = (&from_run.environment, &to_run.environment);
    let words = [
        ("experiment", &from_run.experiment, &to_run.experiment),
        ("target", &from.target, &to.target),
        ("network", &from.network.name, &to.network.name),
        ("limits", &from.limits, &to.limits),
        ("architecture", &from.architecture, &to.architecture),
    ];
    let mut found: Vec<String> =
        words.into_iter().filter_map(|(what, from, to)| differs(what, from, to)).collect();
    if from.network.name == to.network.name && from.network != to.network {
        found.push(format!("figures of the network {}", from.network.name));
    }
    if from.tracing != to.tracing {
        found.push(format!("traced: {} -> {}", from.tracing.words(), to.tracing.words()));
    }
    found.extend(differs("not emulated", &listing(&from_run.not_emulated), &listing(&to_run.not_emulated)));
    found
}

fn listed(from_run: &RunFile, to_run: &RunFile) -> Vec<String> {
    let (from, to) = (&from_run.environment, &to_run.environment);
    let optional = [
        ("rustc", &from.rustc, &to.rustc),
        ("processor", &from.cpu_model, &to.cpu_model),
        ("governor", &from.governor, &to.governor),
        ("kernel", &from.kernel, &to.kernel),
    ];
    let mut found: Vec<String> = differs("commit", &commit(from_run), &commit(to_run)).into_iter().collect();
    found.extend(
        optional
            .into_iter()
            .filter_map(|(what, from, to)| differs(what, &known(from.as_ref()), &known(to.as_ref()))),
    );
    found.extend(differs("cores", &from.cores, &to.cores));
    let names: std::collections::BTreeSet<_> = from.servers.keys().chain(to.servers.keys()).collect();
    found.extend(
        names
            .into_iter()
            .filter_map(|name| differs(name, &known(from.servers.get(name)), &known(to.servers.get(name)))),
    );
    found.extend(differs("profile", &from_run.profile, &to_run.profile));
    found.extend(profile(&from.profile, &to.profile));
    let dated = |prices: &crate::prices::Prices| format!("{} of {}", prices.region, prices.read_on);
    if from.prices != to.prices {
        found.push(format!("prices: {} -> {}", dated(&from.prices), dated(&to.prices)));
    }
    for variant in &from_run.variants {
        if let Some(same) = to_run.variants.iter().find(|seen| seen.name == variant.name) {
            found.extend(differs(
                &format!("memory of {}, MB", variant.name),
                &variant.memory_mb,
                &same.memory_mb,
            ));
        }
    }
    found
}

fn profile(from: &Profile, to: &Profile) -> Vec<String> {
    let numbers = [
        ("rounds", from.rounds, to.rounds),
        ("cold starts a round", from.cold_starts, to.cold_starts),
        ("warm-up requests a round", from.warm_up_requests, to.warm_up_requests),
        ("warm requests a round", from.warm_requests, to.warm_requests),
    ];
    let mut found: Vec<String> =
        numbers.iter().filter_map(|(what, from, to)| differs(what, from, to)).collect();
    if !from.same_load(to) {
        found.push("arrivals of the load phase".to_owned());
    }
    found
}

fn differs<T: Display + PartialEq>(what: &str, from: &T, to: &T) -> Option<String> {
    (from != to).then(|| format!("{what}: {from} -> {to}"))
}

/// The commit a run was measured at, short, and whether the tree had changes.
pub fn commit(run: &RunFile) -> String {
    let environment = &run.environment;
    let Some(sha) = &environment.git_sha else { return "not known".to_owned() };
    let short: String = sha.chars().take(12).collect();
    if environment.git_dirty == Some(true) { format!("{short} with changes") } else { short }
}

fn known(value: Option<&String>) -> String {
    value.cloned().unwrap_or_else(|| "not known".to_owned())
}

fn listing(items: &[String]) -> String {
    if items.is_empty() { "nothing".to_owned() } else { items.join("; ") }
}
