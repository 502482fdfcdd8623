//! Pairs of variants, metric by metric, over their rounds.
//!
//! Apart from the metrics because the unit here is the round, not the request. Invariant: a ratio is *to / from*; a metric that
//! any round of either variant lacks is not measurable, whatever the other rounds say.

use crate::load::load_response_ms;
use crate::metrics::{Series, cold_ms, cost_per_million_usd, cpu_ms, init_ms, response_ms, values, warm_ms};
use crate::observation::Observation;
use crate::prices::Prices;
use crate::run_file::{ComparedMetric, Comparison, Variant};
use crate::statistics::{mean, paired_ratio, quantile, sorted};
use crate::verdict::Verdict;

/// One round's value of a metric. The rounds are the replicates and their scatter makes the interval, so a round's own quantile
/// needs no minimum of values beyond it.
type RoundValue = fn(&[&Observation], &Prices) -> Option<f64>;

/// The metrics compared over rounds, in the order of the report.
const PAIRED: [(&str, RoundValue); 7] = [
    ("warm_ms_p50", |round, _| round_quantile(round, warm_ms, 50)),
    ("warm_ms_p90", |round, _| round_quantile(round, warm_ms, 90)),
    ("cold_ms_p50", |round, _| round_quantile(round, cold_ms, 50)),
    ("init_ms_p50", |round, _| round_quantile(round, init_ms, 50)),
    ("cpu_ms_per_invoke", |round, _| mean(&values(round, cpu_ms))),
    ("response_ms_p50", |round, _| round_quantile(round, response_ms, 50)),
    ("cost_per_million_usd", cost_per_million_usd),
];

/// And this one, where there was a load phase.
const PAIRED_UNDER_LOAD: (&str, RoundValue) =
    ("load_response_ms_p50", |round, _| round_quantile(round, load_response_ms, 50));

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

/// Compares the variants of a run; `observations` are everything measured, `rounds` how many rounds were planned,
/// `ladder` whether they are rungs.
pub fn comparisons(
    variants: &[Variant],
    observations: &[Observation],
    rounds: u32,
    prices: &Prices,
    ladder: bool,
) -> Vec<Comparison> {
    let rounds_of: Vec<_> =
        variants.iter().map(|variant| by_round(observations, &variant.name, rounds)).collect();
    let compare = |(from, to): (usize, usize)| {
        let (from_rounds, to_rounds) = (&rounds_of[from], &rounds_of[to]);
        let (from, to) = (&variants[from], &variants[to]);
        let mut metrics: Vec<_> =
            PAIRED.iter().map(|(name, value)| paired(name, *value, from_rounds, to_rounds, prices)).collect();
        if let (Some(from_load), Some(to_load)) = (&from.load, &to.load) {
            let (name, value) = PAIRED_UNDER_LOAD;
            let mut metric = paired(name, value, from_rounds, to_rounds, prices);
            if from_load.generator_limited || to_load.generator_limited {
                metric.verdict = Some(Verdict::NotMeasurable);
            }
            metrics.push(metric);
        }
        metrics.extend(PLAIN.iter().map(|(name, value)| plain(name, value(from), value(to))));
        Comparison { from: from.name.clone(), to: to.name.clone(), metrics }
    };
    pairs(variants.len(), ladder).into_iter().map(compare).collect()
}

fn by_round<'a>(observations: &'a [Observation], variant: &str, rounds: u32) -> Vec<Vec<&'a Observation>> {
    let of_variant: Vec<_> =
        observations.iter().filter(|observation| observation.sample.variant == variant).collect();
    let of_round =
        |round| of_variant.iter().copied().filter(move |seen| seen.sample.round == round).collect();
    (1..=rounds).map(of_round).collect()
}

fn round_quantile(round: &[&Observation], series: Series, percent: u32) -> Option<f64> {
    quantile(&sorted(values(round, series)), percent)
}

fn paired(
    name: &str,
    value: RoundValue,
    from: &[Vec<&Observation>],
    to: &[Vec<&Observation>],
    prices: &Prices,
) -> ComparedMetric {
    let per_round = |rounds: &[Vec<&Observation>]| {
        rounds.iter().map(|round| value(round, prices)).collect::<Option<Vec<f64>>>()
    };
    let compared = per_round(from).zip(per_round(to)).and_then(|(from, to)| paired_ratio(&from, &to));
    let interval = compared.as_ref().map(|compared| compared.interval);
    let ratio = compared.as_ref().map(|compared| compared.ratio);
    let per_round = compared.map(|compared| compared.per_round).unwrap_or_default();
    ComparedMetric {
        name: name.to_owned(),
        ratio,
        interval,
        rounds: u32::try_from(per_round.len()).unwrap_or(u32::MAX),
        per_round,
        verdict: Some(Verdict::of(interval)),
        reason: None,
        void_rounds: Vec::new(),
        outlier_rounds: Vec::new(),
    }
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
