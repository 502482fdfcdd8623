//! What each round of one arm says of every compared metric.
//!
//! Apart from the comparisons, which are of two arms: what is kept of a variant for later comparisons, and what two variants of
//! one run are compared by, are the same values. Invariant: a round's own quantile is none where it would be no more than the
//! round's extreme; the tail rule is one of all rounds together.

use std::collections::BTreeMap;

use crate::cost;
use crate::load::{is_late, load_response_ms};
use crate::metrics::{Series, cold_ms, cpu_ms, init_ms, response_ms, values, warm_ms};
use crate::observation::Observation;
use crate::prices::Prices;
use crate::sample::Phase;
use crate::statistics::{mean, quantile, round_needs, sorted, values_needed};

/// How a round's value is made of its observations.
#[derive(Clone, Copy, Debug)]
pub enum Measure {
    /// This percentile of the series.
    Quantile(Series, u32),
    /// Its mean.
    Mean(Series),
    /// [`cost::cost`].
    Cost,
}

/// A metric that is compared over rounds.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// As in `run.json`.
    pub name: &'static str,
    /// What it is made of.
    pub measure: Measure,
    /// Whether it is of the load phase, in which the bench itself may be late.
    pub under_load: bool,
}

const fn quiet(name: &'static str, measure: Measure) -> Metric {
    Metric { name, measure, under_load: false }
}

const fn under_load(name: &'static str, percent: u32) -> Metric {
    Metric { name, measure: Measure::Quantile(load_response_ms, percent), under_load: true }
}

/// The metrics compared over rounds, in the order of the report.
pub const PAIRED: [Metric; 10] = [
    quiet("warm_ms_p50", Measure::Quantile(warm_ms, 50)),
    quiet("warm_ms_p90", Measure::Quantile(warm_ms, 90)),
    quiet("warm_ms_p99", Measure::Quantile(warm_ms, 99)),
    quiet("cold_ms_p50", Measure::Quantile(cold_ms, 50)),
    quiet("init_ms_p50", Measure::Quantile(init_ms, 50)),
    quiet("cpu_ms_per_invoke", Measure::Mean(cpu_ms)),
    quiet("response_ms_p50", Measure::Quantile(response_ms, 50)),
    quiet("cost_per_million_usd", Measure::Cost),
    under_load("load_response_ms_p50", 50),
    under_load("load_response_ms_p99", 99),
];

/// One round's part in a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoundValue {
    /// The value; none of too few.
    pub value: Option<f64>,
    /// Of how many observations.
    pub of: usize,
}

/// What one arm measured, round by round.
#[derive(Clone, Debug, PartialEq)]
pub struct Rounds {
    /// One for each of [`PAIRED`], each from round 1.
    values: Vec<Vec<RoundValue>>,
    /// Whether the bench was late under load, from round 1.
    late: Vec<bool>,
    /// Whether there was a load phase.
    loaded: bool,
}

impl Measure {
    /// How many observations a round's own value takes.
    pub fn needed(self) -> usize {
        match self {
            Self::Quantile(_, percent) => round_needs(percent),
            Self::Mean(_) | Self::Cost => 1,
        }
    }

    /// The percentile, where it is one.
    pub fn percent(self) -> Option<u32> {
        match self {
            Self::Quantile(_, percent) => Some(percent),
            Self::Mean(_) | Self::Cost => None,
        }
    }

    fn of(self, round: &[&Observation], prices: &Prices) -> RoundValue {
        let (value, of) = match self {
            Self::Quantile(series, percent) => {
                let sorted = sorted(values(round, series));
                (quantile(&sorted, percent), sorted.len())
            }
            Self::Mean(series) => {
                let values = values(round, series);
                (mean(&values), values.len())
            }
            Self::Cost => {
                let cost = cost::cost(round, prices);
                let of = cost.map_or(0, |cost| usize::try_from(cost.requests).unwrap_or(usize::MAX));
                (cost.map(|cost| cost.per_million_usd), of)
            }
        };
        RoundValue { value: value.filter(|_| of >= self.needed()), of }
    }
}

impl Rounds {
    /// Of the arm called `name`, among the `observations` of a run of so many `rounds`.
    pub fn of(name: &str, observations: &[Observation], rounds: u32, prices: &Prices) -> Self {
        let own: Vec<&Observation> = observations.iter().filter(|seen| seen.sample.variant == name).collect();
        let of_round = |round| own.iter().copied().filter(|seen| seen.sample.round == round).collect();
        let rounds: Vec<Vec<&Observation>> = (1..=rounds).map(of_round).collect();
        let values = |metric: &Metric| rounds.iter().map(|round| metric.measure.of(round, prices)).collect();
        Self {
            values: PAIRED.iter().map(values).collect(),
            late: rounds.iter().map(|round| is_late(round)).collect(),
            loaded: own.iter().any(|seen| seen.sample.phase == Phase::Load),
        }
    }

    /// Whether it had a load phase.
    pub fn loaded(&self) -> bool {
        self.loaded
    }

    /// How many rounds.
    pub fn count(&self) -> u32 {
        u32::try_from(self.late.len()).unwrap_or(u32::MAX)
    }

    /// Whether the bench itself was late under load in `round` (from 1).
    pub fn was_late(&self, round: u32) -> bool {
        self.late.get(index(round)).copied().unwrap_or(false)
    }

    /// What `round` (from 1) says of the metric at `place` of [`PAIRED`].
    pub fn value(&self, place: usize, round: u32) -> RoundValue {
        let of_metric = self.values.get(place);
        of_metric
            .and_then(|rounds| rounds.get(index(round)))
            .copied()
            .unwrap_or(RoundValue { value: None, of: 0 })
    }

    /// The values by the metrics' names, as `run.json` keeps them: none in a round that lacks the metric or was late, and in no
    /// round where all together are too few for the quantile.
    pub fn published(&self) -> BTreeMap<String, Vec<Option<f64>>> {
        let published = |(place, metric): (usize, &Metric)| {
            let counts = |round: &u32| !metric.under_load || !self.was_late(*round);
            let of: usize = (1..=self.count()).filter(counts).map(|round| self.value(place, round).of).sum();
            let enough = metric.measure.percent().is_none_or(|percent| of >= values_needed(percent));
            let value = |round| self.value(place, round).value.filter(|_| enough && counts(&round));
            (metric.name.to_owned(), (1..=self.count()).map(value).collect())
        };
        let metrics = PAIRED.iter().enumerate().filter(|(_, metric)| !metric.under_load || self.loaded);
        metrics.map(published).collect()
    }
}

fn index(round: u32) -> usize {
    (round as usize).saturating_sub(1)
}
