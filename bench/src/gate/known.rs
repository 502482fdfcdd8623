//! What a gate may name, and the refusal of the rest.
//!
//! Apart from the judging so that it can be done before anything is measured. Invariant: a refusal lists everything that could have
//! been named.

use crate::compare::changes::PLAIN;
use crate::comparison::pairs;
use crate::gate::{Condition, Gate, GateError, Pair, Quantity};
use crate::run_file::RunFile;

/// Every metric that `run.json` may compare, in the order of its schema.
pub const METRICS: [&str; 12] = [
    "warm_ms_p50",
    "warm_ms_p90",
    "warm_ms_p99",
    "cold_ms_p50",
    "init_ms_p50",
    "cpu_ms_per_invoke",
    "response_ms_p50",
    "cost_per_million_usd",
    "load_response_ms_p50",
    "load_response_ms_p99",
    "max_memory_mb",
    "package_bytes",
];

/// What a run compares, or will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its pairs of variants.
    pub pairs: Vec<Pair>,
    /// The last variant to the first; none where there is only one.
    pub main: Option<Pair>,
    /// Whether it has a load phase.
    pub has_load: bool,
}

impl Known {
    /// What a run of these `variants` will compare; `is_ladder`, whether they are rungs.
    pub fn planned(variants: &[String], has_load: bool, is_ladder: bool) -> Self {
        let pair =
            |(from, to): (usize, usize)| Pair { to: variants[to].clone(), from: variants[from].clone() };
        let main = variants.len().checked_sub(1).filter(|last| *last > 0).map(|last| pair((0, last)));
        Self { pairs: pairs(variants.len(), is_ladder).into_iter().map(pair).collect(), main, has_load }
    }

    /// What `run` compares.
    pub fn of(run: &RunFile) -> Self {
        let compared = run.comparisons.iter();
        let pairs: Vec<_> =
            compared.map(|seen| Pair { to: seen.to.clone(), from: seen.from.clone() }).collect();
        let ends = run.variants.first().zip(run.variants.last()).filter(|_| run.variants.len() > 1);
        let main = ends.map(|(first, last)| Pair { to: last.name.clone(), from: first.name.clone() });
        Self { pairs, main, has_load: run.variants.iter().any(|variant| variant.load.is_some()) }
    }

    /// Refuses `gates` that name what there is not.
    ///
    /// # Errors
    /// Names the first of them and what there is.
    pub fn check(&self, gates: &[Gate]) -> Result<(), GateError> {
        gates.iter().try_for_each(|gate| {
            metric(gate)?;
            if gate.metric.starts_with("load_") && !self.has_load {
                return Err(GateError::NoLoad { gate: gate.text.clone(), metric: gate.metric.clone() });
            }
            match gate.pair.as_ref().or(self.main.as_ref()) {
                Some(pair) if self.pairs.contains(pair) => Ok(()),
                pair => Err(self.no_such_pair(gate, pair)),
            }
        })
    }

    fn no_such_pair(&self, gate: &Gate, pair: Option<&Pair>) -> GateError {
        let known: Vec<_> = self.pairs.iter().map(Pair::to_string).collect();
        GateError::Pair {
            gate: gate.text.clone(),
            pair: pair.map_or_else(|| "a single variant".to_owned(), Pair::to_string),
            known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
        }
    }
}

/// Refuses a metric that no run has, and an interval of one that never has one.
///
/// # Errors
/// Names the metrics there are.
pub fn metric(gate: &Gate) -> Result<(), GateError> {
    let (text, name) = (gate.text.clone(), gate.metric.clone());
    if !METRICS.contains(&name.as_str()) {
        return Err(GateError::Metric { gate: text, metric: name, known: METRICS.join(", ") });
    }
    let of_ratio = matches!(gate.condition, Condition::Number { quantity: Quantity::Ratio, .. });
    if is_plain(&name) && !of_ratio {
        return Err(GateError::Plain { gate: text, metric: name });
    }
    Ok(())
}

/// Whether the metric is one number a run.
pub fn is_plain(metric: &str) -> bool {
    PLAIN.iter().any(|(name, _)| *name == metric)
}
