//! From a run's variants to its ladder.
//!
//! Apart from the outputs because it is what `run.json` keeps. Invariant: pure; a rung's figures come from the rounds that stand in the
//! same file, so that they can be had from it again.

use lambda_lab::experiment::Function;

use super::Metric;
use super::judge::{Judged, judged};
use crate::run_file::{Earned, Rung, Variant};
use crate::statistics::mean;

/// The ladder of `variants`, which are those of `functions` in the same order: every variant with a lever, and those without that one
/// is compared with; empty where none has a lever. `floor` tells the noise floor of a metric by its name, where the run measured one.
pub fn rungs(
    functions: &[Function],
    variants: &[Variant],
    floor: impl Fn(&str) -> Option<[f64; 2]>,
) -> Vec<Rung> {
    let levers = || functions.iter().filter_map(|function| function.lever.as_ref());
    let stands = |name: &str| levers().any(|lever| lever.against == name);
    let of = |(function, variant): (&Function, &Variant)| {
        let lever = function.lever.as_ref();
        if lever.is_none() && !stands(&function.name) {
            return None;
        }
        let against = lever.and_then(|lever| variants.iter().find(|other| other.name == lever.against));
        Some(Rung {
            rung: function.name.clone(),
            lever: lever.map(|lever| lever.words.clone()),
            against: lever.map(|lever| lever.against.clone()),
            beside: lever.is_some_and(|lever| lever.beside),
            metrics: Metric::ALL.map(|metric| earned(metric, against, variant, floor(metric.name()))).into(),
        })
    };
    functions.iter().zip(variants).filter_map(of).collect()
}

fn earned(metric: Metric, against: Option<&Variant>, own: &Variant, floor: Option<[f64; 2]>) -> Earned {
    let value = value(metric, own);
    let judged = against.map(|against| match (metric.plain(against), metric.plain(own)) {
        (Some(from), Some(to)) => plain(from, to),
        _ => judged(rounds(metric, against), rounds(metric, own), floor),
    });
    let judged = judged.unwrap_or_default();
    // What cannot be compared saves nothing that could be told.
    let comparable = judged.ratio.is_some() || metric.plain(own).is_some();
    let before = against.filter(|_| comparable).and_then(|against| self::value(metric, against));
    Earned {
        name: metric.name().to_owned(),
        value,
        saved: before.zip(value).map(|(before, value)| before - value),
        ratio: judged.ratio,
        interval: judged.interval,
        verdict: judged.verdict,
        reason: judged.reason,
    }
}

/// Each round's value; nothing where the run has none.
fn rounds(metric: Metric, variant: &Variant) -> &[Option<f64>] {
    variant.per_round.get(metric.name()).map_or(&[], Vec::as_slice)
}

/// The geometric mean of the rounds that have it, or the one number.
fn value(metric: Metric, variant: &Variant) -> Option<f64> {
    if let Some(number) = metric.plain(variant) {
        return number;
    }
    let known = rounds(metric, variant).iter().flatten().filter(|value| value.is_finite() && **value > 0.0);
    mean(&known.map(|value| value.ln()).collect::<Vec<_>>()).map(f64::exp)
}

fn plain(from: Option<f64>, to: Option<f64>) -> Judged {
    let ratio = from.zip(to).filter(|(from, _)| *from > 0.0).map(|(from, to)| to / from);
    Judged { ratio, ..Judged::default() }
}
