//! What pictures are drawn from: whole distributions, and the load second by second.
//!
//! Apart from the quantiles because nothing is concluded from these: a picture shows every value's place, also where too few lie
//! beyond it to publish a quantile. Invariant: every number here was measured, or is the median of such.

use serde::{Deserialize, Serialize};

/// One variant's distributions, in milliseconds; each none where there was no value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distributions {
    /// REPORT Duration of warm invocations, one request in flight.
    pub warm_ms: Option<Distribution>,
    /// The client's response time of warm requests, one in flight.
    pub response_ms: Option<Distribution>,
    /// The client's response time in the cold phase.
    pub cold_ms: Option<Distribution>,
    /// Init Duration in the cold phase.
    pub init_ms: Option<Distribution>,
    /// The client's response time under load, cold starts among them.
    pub load_ms: Option<Distribution>,
}

/// Where values lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    /// How many values there are.
    pub count: u64,
    /// 101 of them, ascending: the least, then at each percent the first that so many do not exceed (nearest rank); so the last is
    /// the greatest.
    pub percentiles: Vec<f64>,
}

/// The requests that the schedule wanted sent within one second of the load phase, all rounds together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadSecond {
    /// From 0, since the phase began.
    pub second: u32,
    /// How many there were.
    pub requests: u64,
    /// Of these, how many failed or were dropped.
    pub failed: u64,
    /// Of these, how many were cold starts.
    pub cold_starts: u64,
    /// The median response time of those a warm sandbox served; none where there was none.
    pub warm_p50_ms: Option<f64>,
    /// Their longest.
    pub warm_max_ms: Option<f64>,
    /// The longest response time of a cold start; none where there was none.
    pub cold_max_ms: Option<f64>,
    /// How many sandboxes served them, in the round in which it was most.
    pub sandboxes: u32,
}
