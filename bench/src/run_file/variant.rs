//! What is said of one variant.
//!
//! Apart from the comparisons, which are of two. Invariant: a number that could not be had is none, never 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Cost, Difference, Distributions, Load, LoadSecond};

/// Quantiles in milliseconds; each none with fewer than 10 values beyond it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantiles {
    /// Median.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
}

/// What was measured of one variant over all rounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// Its configured memory.
    pub memory_mb: u32,
    /// All requests, warm-up included.
    pub requests: u64,
    /// Those that failed.
    pub errors: u64,
    /// How many failed by name: `timeout`, `connect`, `transport`, `http_<status>`.
    pub errors_by_name: BTreeMap<String, u64>,
    /// Arrivals that were never sent.
    pub dropped: u64,
    /// Cold starts in all phases.
    pub cold_starts: u64,
    /// REPORT Duration of warm invocations, one request in flight.
    pub warm_ms: Quantiles,
    /// The client's response time in the cold phase.
    pub cold_ms: Quantiles,
    /// Init Duration in the cold phase.
    pub init_ms: Quantiles,
    /// The client's response time of warm requests, one in flight.
    pub response_ms: Quantiles,
    /// Mean processor time of a warm invocation.
    pub cpu_ms_per_invoke: Option<f64>,
    /// Mean time that a warm invocation was kept from running by the CPU share of its memory size; none where no limit is enforced.
    pub throttled_ms_per_invoke: Option<f64>,
    /// Mean processor time of INIT in the cold phase.
    pub init_cpu_ms: Option<f64>,
    /// Highest resident memory of any sandbox.
    pub max_memory_mb: Option<f64>,
    /// Requests a second one sandbox can serve: 1000 / mean warm duration.
    pub tps_per_sandbox: Option<f64>,
    /// At a threshold of 100 ms, over the load phase; failed and dropped requests are frustrated.
    pub apdex: Option<f64>,
    /// `cost`'s whole, which is compared; before version 4 Lambda's price alone, of a million warm invocations.
    pub cost_per_million_usd: Option<f64>,
    /// The zipped program; none for a command that is an interpreter's.
    pub package_bytes: Option<u64>,
    /// The load phase, where the profile has one.
    pub load: Option<Load>,
    /// What the dependencies counted in the warm phase.
    pub dependencies: Dependencies,
    /// What tracing cost, where some warm requests were traced and some were not.
    pub tracing_cost: Option<TracingCost>,
    /// Each round's value of every paired metric, by the metric's name, from round 1; none where the round lacks it, where the bench
    /// was late in it (under load), and everywhere where all rounds together are too few for the quantile. Runs are compared with
    /// each other by these.
    pub per_round: BTreeMap<String, Vec<Option<f64>>>,
    /// Warm invocations far from the others; they are in every figure all the same. None of fewer than 40.
    pub outliers: Option<Outliers>,
    /// What a million requests cost at the measured mix of cold and warm; none where nothing was billed.
    pub cost: Option<Cost>,
    /// What its pictures are drawn from.
    pub distributions: Distributions,
    /// The load phase, second by second; empty where the profile has none.
    pub load_seconds: Vec<LoadSecond>,
}

/// Values far beyond the others, flagged and never removed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outliers {
    /// How many warm invocations took longer than `fence_ms`.
    pub count: u64,
    /// Out of how many.
    pub of: u64,
    /// The third quartile and three times the distance between the quartiles (Tukey's outer fence).
    pub fence_ms: f64,
    /// The longest.
    pub longest_ms: f64,
}

/// What a warm invocation cost more because it was traced: sampled ones less the others of the same rounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TracingCost {
    /// Warm invocations that were sampled.
    pub sampled: u64,
    /// And those that were not.
    pub others: u64,
    /// Difference of the medians of REPORT Duration.
    pub warm_ms: Option<Difference>,
    /// Difference of the medians of the client's response time.
    pub response_ms: Option<Difference>,
    /// Difference of the means of processor time.
    pub cpu_ms: Option<Difference>,
    /// Mean bytes of the documents that the function sent for a sampled warm invocation.
    pub bytes: Option<f64>,
}

/// The dependencies' own counters, for each warm invocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependencies {
    /// Calls of SSM's `GetParameter`, `GetParameters` and `GetParametersByPath`.
    pub ssm_get_parameters_per_invoke: Option<f64>,
    /// Logins at PgBouncer; none where it is not counted.
    pub new_connections_per_invoke: Option<f64>,
}
