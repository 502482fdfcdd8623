//! What is said of the load phase.
//!
//! Apart from the variant, since not every profile has one. Invariant: it says itself where host or generator were the limit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Quantiles;

/// The open-loop load phase of one variant over all rounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Arrivals, sent or dropped.
    pub requests: u64,
    /// Arrivals a second, as scheduled.
    pub offered_rate: f64,
    /// Answers a second, until the last request of each round was done.
    pub achieved_rate: f64,
    /// From the intended time to the end of the answer; time-outs at their limit.
    pub response_ms: Quantiles,
    /// Cold starts under load.
    pub cold_starts: u64,
    /// How many failed by name.
    pub errors: BTreeMap<String, u64>,
    /// Arrivals that were never sent.
    pub dropped: u64,
    /// How late the bench itself sent.
    pub send_lag_ms: SendLag,
    /// The most sandboxes busy at once in any round, INIT included.
    pub peak_sandboxes: u64,
    /// Whether the host's processors were less than 10 % idle; none where the system does not tell.
    pub host_limited: Option<bool>,
    /// Whether the median send lag was more than a quarter of the median response: then the response times above are the bench's
    /// own. Comparisons judge that round by round.
    pub generator_limited: bool,
}

/// Sent minus intended, in milliseconds; each none with fewer than 10 values beyond it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendLag {
    /// Median.
    pub p50: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
}
