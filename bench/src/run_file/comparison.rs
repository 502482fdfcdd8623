//! What is said of two variants, or of one against itself.
//!
//! Apart from the variants, because here the round is the unit. Invariant: ratios are to / from; every metric that has a verdict is one
//! where less is better, and a verdict that is not plain from the interval says its reason.

use serde::{Deserialize, Serialize};

use crate::verdict::Verdict;

/// Two variants, metric by metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The variant that is 1.
    pub from: String,
    /// The variant compared with it.
    pub to: String,
    /// In the order of the report.
    pub metrics: Vec<ComparedMetric>,
}

/// One metric of a comparison; below 1 is less, and less is better.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparedMetric {
    /// Its name.
    pub name: String,
    /// to / from; none where either is missing.
    pub ratio: Option<f64>,
    /// 95 % interval of the ratio over the rounds; none for a plain ratio.
    pub interval: Option<[f64; 2]>,
    /// How many rounds it rests on; 0 for a plain ratio.
    pub rounds: u32,
    /// The ratio of each round that is not among `void_rounds`, in order.
    pub per_round: Vec<f64>,
    /// The verdict; none for a plain ratio, which has no interval to judge by.
    pub verdict: Option<Verdict>,
    /// Why it is not measurable, or why a difference is not called one; none where the interval alone decides.
    pub reason: Option<String>,
    /// Rounds that were left out because the bench itself was late in them, for either variant.
    pub void_rounds: Vec<u32>,
    /// Rounds whose ratio is far from the others'; they are in the figures all the same. Not judged with fewer than 10.
    pub outlier_rounds: Vec<u32>,
}

/// One variant against itself (A/A).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// The variant that was measured twice.
    pub of: String,
    /// Its second measurement / its first. How far the interval reaches from 1 is the metric's noise floor, to either side.
    pub metrics: Vec<ComparedMetric>,
}

/// A difference over paired rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// Mean of the rounds' differences.
    pub value: f64,
    /// 95 % interval of it.
    pub interval: [f64; 2],
}
