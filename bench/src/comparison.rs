//! Pairs of variants, metric by metric, over their rounds.
//!
//! Apart from the metrics because the unit here is the round, not the request. Invariant: a ratio is *to / from*; a metric that
//! any round of either variant lacks is not measurable, whatever the other rounds say; a round is left out for one reason alone,
//! that the bench itself was late in it.

use crate::noise_floor::noise_floor;
use crate::observation::Observation;
use crate::outliers::far_from_others;
use crate::plan::is_forward;
use crate::prices::Prices;
use crate::reason::Reason;
use crate::rounds::{Measure, Metric, PAIRED, Rounds};
use crate::run_file::{ComparedMetric, Comparison, Control, Variant};
use crate::statistics::{PairedRatio, paired_ratio, values_needed};
use crate::verdict::{Verdict, judged};

/// A variant's one value of a metric.
type RunValue = fn(&Variant) -> Option<f64>;

/// Metrics that are one number a run: a ratio without an interval.
const PLAIN: [(&str, RunValue); 2] = [
    ("max_memory_mb", |variant| variant.max_memory_mb),
    ("package_bytes", |variant| variant.package_bytes.map(|bytes| bytes as f64)),
];

/// Which variants are compared, by index: the first with each other one, and the second with the last; of a `ladder` only the first
/// with each, since its rungs are judged against each other.
pub fn pairs(variants: usize, ladder: bool) -> Vec<(usize, usize)> {
    let mut pairs: Vec<(usize, usize)> = (1..variants).map(|to| (0, to)).collect();
    if variants > 2 && !ladder {
        pairs.push((1, variants - 1));
    }
    pairs
}

/// Compares the variants of a run; `observations` are everything measured, `rounds` how many rounds were planned, `controls` what
/// variants differ by from themselves, `ladder` whether they are rungs.
pub fn comparisons(
    variants: &[Variant],
    observations: &[Observation],
    rounds: u32,
    prices: &Prices,
    controls: &[Control],
    ladder: bool,
) -> Vec<Comparison> {
    let rounds: Vec<_> =
        variants.iter().map(|variant| Rounds::of(&variant.name, observations, rounds, prices)).collect();
    let compare = |(from, to): (usize, usize)| {
        let mut metrics = paired_metrics(&rounds[from], &rounds[to], controls);
        let (from, to) = (&variants[from], &variants[to]);
        metrics.extend(PLAIN.iter().map(|(name, value)| plain(name, value(from), value(to))));
        Comparison { from: from.name.clone(), to: to.name.clone(), metrics }
    };
    pairs(variants.len(), ladder).into_iter().map(compare).collect()
}

/// Every metric of [`PAIRED`] that both arms could have, `to` compared with `from`; `controls` give the noise floor.
pub fn paired_metrics(from: &Rounds, to: &Rounds, controls: &[Control]) -> Vec<ComparedMetric> {
    let both_loaded = from.loaded() && to.loaded();
    let alike = from.loaded() == to.loaded();
    let comparable = |metric: &Metric| match metric.measure {
        // Of the load phase's mix, or where there was none, of the warm phase's: a control has no load turn.
        Measure::Cost => alike,
        Measure::Quantile(..) | Measure::Mean(_) => !metric.under_load || both_loaded,
    };
    let metrics = PAIRED.iter().enumerate().filter(|(_, metric)| comparable(metric));
    metrics
        .map(|(place, metric)| paired(place, metric, from, to, noise_floor(controls, metric.name)))
        .collect()
}

fn paired(
    place: usize,
    metric: &Metric,
    from: &Rounds,
    to: &Rounds,
    floor: Option<[f64; 2]>,
) -> ComparedMetric {
    let is_void = |round: &u32| metric.under_load && (from.was_late(*round) || to.was_late(*round));
    let (void, kept): (Vec<u32>, Vec<u32>) = (1..=from.count().min(to.count())).partition(is_void);
    let compared = match rounds_suffice(&void, &kept) {
        Ok(()) => ratio(place, metric, from, to, &kept),
        Err(reason) => Err(reason),
    };
    let (verdict, reason) = match &compared {
        Ok(compared) => judged(compared.ratio, compared.interval, floor),
        Err(reason) => (Verdict::NotMeasurable, Some(*reason)),
    };
    let compared = compared.ok();
    let interval = compared.as_ref().map(|compared| compared.interval);
    let ratio = compared.as_ref().map(|compared| compared.ratio);
    let per_round = compared.map(|compared| compared.per_round).unwrap_or_default();
    let logs: Vec<f64> = per_round.iter().map(|ratio| ratio.ln()).collect();
    ComparedMetric {
        name: metric.name.to_owned(),
        ratio,
        interval,
        rounds: u32::try_from(per_round.len()).unwrap_or(u32::MAX),
        outlier_rounds: far_from_others(&logs).into_iter().map(|outlier| kept[outlier]).collect(),
        per_round,
        verdict: Some(verdict),
        reason: reason.map(|reason| reason.to_string()),
        void_rounds: void,
    }
}

/// What the order of turns does, forward and backward show with opposite signs: in the mean they cancel, and where a void round
/// has left one more of the one, the scatter between them widens the interval by more than that. Rounds of one order alone
/// would hide it.
fn rounds_suffice(void: &[u32], kept: &[u32]) -> Result<(), Reason> {
    let of_each_order =
        kept.iter().any(|round| is_forward(*round)) && kept.iter().any(|round| !is_forward(*round));
    match (of_each_order, void.len()) {
        (true, _) => Ok(()),
        (false, 0) => Err(Reason::TooFewRounds { rounds: kept.len() }),
        (false, void) => Err(Reason::GeneratorLimited { void, rounds: void + kept.len() }),
    }
}

fn ratio(
    place: usize,
    metric: &Metric,
    from: &Rounds,
    to: &Rounds,
    kept: &[u32],
) -> Result<PairedRatio, Reason> {
    let pooled = |arm: &Rounds| kept.iter().map(|round| arm.value(place, *round).of).sum::<usize>();
    let values = pooled(from).min(pooled(to));
    if let Some(percent) = metric.measure.percent().filter(|percent| values < values_needed(*percent)) {
        return Err(Reason::TooFewValues { values, percent });
    }
    let of_round = |arm: &Rounds, round: u32| {
        let found = arm.value(place, round);
        let lacking = Reason::RoundLacksIt { round, values: found.of, needed: metric.measure.needed() };
        let value = found.value.ok_or(lacking)?;
        if value.is_finite() && value > 0.0 { Ok(value) } else { Err(Reason::Zero { round }) }
    };
    let of_arm = |arm| kept.iter().map(|round| of_round(arm, *round)).collect::<Result<Vec<f64>, Reason>>();
    paired_ratio(&of_arm(from)?, &of_arm(to)?).ok_or(Reason::TooFewRounds { rounds: kept.len() })
}

fn plain(name: &str, from: Option<f64>, to: Option<f64>) -> ComparedMetric {
    ComparedMetric {
        name: name.to_owned(),
        ratio: from.zip(to).filter(|(from, _)| *from > 0.0).map(|(from, to)| to / from),
        interval: None,
        rounds: 0,
        per_round: Vec::new(),
        verdict: None,
        reason: None,
        void_rounds: Vec::new(),
        outlier_rounds: Vec::new(),
    }
}
