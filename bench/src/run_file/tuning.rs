//! Each variant over memory sizes.
//!
//! Apart from the variants because a point here is one of them, named by the function it is a size of. Invariant: every point is a
//! variant of the run, and what is chosen is one of the points.

use serde::{Deserialize, Serialize};

/// What memory buys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuning {
    /// The share of the cost in what `balanced` weighs, 0 to 1; the rest is the duration's.
    pub cost_weight: f64,
    /// In the experiment's order.
    pub functions: Vec<TunedFunction>,
}

/// One function at all its sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TunedFunction {
    /// The variant's name in the experiment file.
    pub name: String,
    /// Ascending by memory.
    pub points: Vec<TunedPoint>,
    /// The memory, in MB, of the point that costs least; none where no point has a cost.
    pub cheapest_mb: Option<u32>,
    /// Of the point that takes least time.
    pub fastest_mb: Option<u32>,
    /// Of the point with the least weighted sum of cost and duration, each as a share of the function's greatest.
    pub balanced_mb: Option<u32>,
}

/// One function at one size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TunedPoint {
    /// The size.
    pub memory_mb: u32,
    /// The variant of this run that has its figures.
    pub variant: String,
    /// Mean REPORT Duration of warm invocations, nothing trimmed; none where nothing was measured.
    pub duration_ms: Option<f64>,
    /// What a million warm invocations cost: Lambda's requests and duration, nothing else.
    pub warm_cost_per_million_usd: Option<f64>,
}
