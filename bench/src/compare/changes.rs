//! What became of a variant's metrics from one run to another.
//!
//! Apart from the report, which only orders them. The rounds of two runs are not paired, so the interval is Welch's, on the logarithms of
//! the rounds' values. Invariant: a ratio is *to / from*; a metric that any round of either run lacks is not measurable, void
//! rounds apart, and says which and why.

use serde::Serialize;

use crate::run_file::{RunFile, Variant};
use crate::statistics::mean;
use crate::verdict::Verdict;
use crate::welch::welch;

/// One metric, from a run to another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Its name, as in `run.json`.
    pub name: String,
    /// The first run's geometric mean of its rounds, or its one number.
    pub from: Option<f64>,
    /// The second run's.
    pub to: Option<f64>,
    /// to / from.
    pub ratio: Option<f64>,
    /// 95 % interval of it; none for one number a run.
    pub interval: Option<[f64; 2]>,
    /// Degrees of freedom of the interval.
    pub degrees_of_freedom: Option<f64>,
    /// On how many rounds of each run it rests; 0 for one number a run.
    pub rounds: [usize; 2],
    /// The verdict; none for one number a run.
    pub verdict: Option<Verdict>,
    /// Why it is not measurable.
    pub reason: Option<String>,
}

/// A variant's one value of a metric.
type RunValue = fn(&Variant) -> Option<f64>;

/// Metrics that are one number a run: a ratio without an interval, which no drift of a machine touches.
pub const PLAIN: [(&str, RunValue); 2] = [
    ("max_memory_mb", |variant| variant.max_memory_mb),
    ("package_bytes", |variant| variant.package_bytes.map(|bytes| bytes as f64)),
];

/// Every metric of `variant` as the two runs measured it.
pub fn as_measured(from: &RunFile, to: &RunFile, variant: &str) -> Vec<Change> {
    let by_round = metric_names(from, to, variant).into_iter().map(|metric| {
        let why = not_comparable(from, to, metric);
        change(metric, why, |run| logs(run, variant, metric), from, to)
    });
    let plain = PLAIN.iter().map(|(metric, value)| {
        let value = |run: &RunFile| found(run, variant).and_then(value);
        plain(metric, value(from), value(to))
    });
    by_round.chain(plain).collect()
}

/// Every metric of `variant` as a ratio to `reference` in the same round, and what became of that ratio.
pub fn relative(from: &RunFile, to: &RunFile, variant: &str, reference: &str) -> Vec<Change> {
    let changes = metric_names(from, to, variant).into_iter().map(|metric| {
        let why = not_comparable(from, to, metric);
        change(metric, why, |run| relative_logs(run, variant, reference, metric), from, to)
    });
    changes.collect()
}

/// The metrics that either run has by round, in the order of the runs' own comparisons.
fn metric_names<'a>(from: &'a RunFile, to: &'a RunFile, variant: &str) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for run in [to, from] {
        let Some(per_round) = found(run, variant).map(|variant| &variant.per_round) else { continue };
        let reported = run.comparisons.iter().flat_map(|comparison| &comparison.metrics);
        let reported = reported.map(|metric| metric.name.as_str());
        for name in reported.chain(per_round.keys().map(String::as_str)) {
            if per_round.contains_key(name) && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// Why no run's `metric` can stand beside the other's, whatever was measured.
fn not_comparable(from: &RunFile, to: &RunFile, metric: &str) -> Option<String> {
    let (from, to) = (&from.environment, &to.environment);
    if metric.starts_with("load_") && !from.profile.same_load(&to.profile) {
        return Some("the load phases of the runs have other arrivals".to_owned());
    }
    (metric.starts_with("cost_") && from.prices != to.prices)
        .then(|| "the runs were priced by other lists".to_owned())
}

fn change(
    metric: &str,
    not_comparable: Option<String>,
    logs: impl Fn(&RunFile) -> Result<Vec<f64>, String>,
    from: &RunFile,
    to: &RunFile,
) -> Change {
    let (from, to) = (logs(from), logs(to));
    let geometric_mean = |logs: &Result<Vec<f64>, String>| logs.as_deref().ok().and_then(mean).map(f64::exp);
    let rounds = |logs: &Result<Vec<f64>, String>| logs.as_ref().map_or(0, Vec::len);
    let mut change = Change {
        name: metric.to_owned(),
        from: geometric_mean(&from),
        to: geometric_mean(&to),
        ratio: None,
        interval: None,
        degrees_of_freedom: None,
        rounds: [rounds(&from), rounds(&to)],
        verdict: Some(Verdict::NotMeasurable),
        reason: None,
    };
    match (not_comparable, from, to) {
        (Some(why), ..) => change.reason = Some(why),
        (None, Err(why), _) => change.reason = Some(format!("the first run: {why}")),
        (None, Ok(_), Err(why)) => change.reason = Some(format!("the second run: {why}")),
        (None, Ok(from), Ok(to)) => compare(&mut change, &from, &to),
    }
    change
}

fn compare(change: &mut Change, from: &[f64], to: &[f64]) {
    change.ratio = change.from.zip(change.to).map(|(from, to)| to / from);
    let Some(welch) = welch(from, to) else {
        change.reason = Some(format!(
            "an interval needs 2 rounds of each run, there are {} and {}",
            from.len(),
            to.len()
        ));
        return;
    };
    change.interval = Some(welch.interval.map(f64::exp));
    change.degrees_of_freedom = Some(welch.degrees_of_freedom);
    change.verdict = Some(Verdict::of(change.interval));
}

fn plain(metric: &str, from: Option<f64>, to: Option<f64>) -> Change {
    Change {
        name: metric.to_owned(),
        from,
        to,
        ratio: from.zip(to).filter(|(from, _)| *from > 0.0).map(|(from, to)| to / from),
        interval: None,
        degrees_of_freedom: None,
        rounds: [0, 0],
        verdict: None,
        reason: None,
    }
}

/// The logarithms of the rounds' values.
fn logs(run: &RunFile, variant: &str, metric: &str) -> Result<Vec<f64>, String> {
    Ok(rounds(run, variant, metric)?.into_iter().flatten().map(f64::ln).collect())
}

/// The logarithms of variant / reference, round by round.
fn relative_logs(run: &RunFile, variant: &str, reference: &str, metric: &str) -> Result<Vec<f64>, String> {
    let (of_variant, of_reference) = (rounds(run, variant, metric)?, rounds(run, reference, metric)?);
    let pairs = of_variant.into_iter().zip(of_reference);
    Ok(pairs.filter_map(|(variant, reference)| Some(variant?.ln() - reference?.ln())).collect())
}

/// The values of each round, from round 1; none where the round is void. All others are there and have a logarithm.
fn rounds(run: &RunFile, variant: &str, metric: &str) -> Result<Vec<Option<f64>>, String> {
    let of_variant = found(run, variant).ok_or_else(|| format!("it has no variant {variant}"))?;
    let late = of_variant.load.as_ref().is_some_and(|load| load.generator_limited);
    if metric.starts_with("load_") && late {
        return Err(format!("the bench itself sent too late to {variant}"));
    }
    let values =
        of_variant.per_round.get(metric).ok_or_else(|| format!("{variant} has no values of it by round"))?;
    let void = void_rounds(run, variant, metric);
    let value = |(round, value): (u32, &Option<f64>)| match value {
        _ if void.contains(&round) => Ok(None),
        None => Err(format!("{variant} has no value in round {round}")),
        Some(value) if *value > 0.0 && value.is_finite() => Ok(Some(*value)),
        Some(value) => Err(format!("{variant} has {value} in round {round}, which has no logarithm")),
    };
    (1..).zip(values).map(value).collect()
}

/// Rounds that the run itself left out of each of the variant's comparisons.
fn void_rounds(run: &RunFile, variant: &str, metric: &str) -> Vec<u32> {
    let own = run.comparisons.iter().filter(|seen| seen.from == variant || seen.to == variant);
    let metrics = own.flat_map(|comparison| comparison.metrics.iter().filter(|seen| seen.name == metric));
    let all: Vec<&[u32]> = metrics.map(|metric| metric.void_rounds.as_slice()).collect();
    let Some((first, others)) = all.split_first() else { return Vec::new() };
    first.iter().copied().filter(|round| others.iter().all(|void| void.contains(round))).collect()
}

fn found<'a>(run: &'a RunFile, variant: &str) -> Option<&'a Variant> {
    run.variants.iter().find(|seen| seen.name == variant)
}
