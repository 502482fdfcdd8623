//! What a million requests cost.
//!
//! Apart from the variant because each part is shown beside the whole. Invariant: list prices of the dated price file, which stands in
//! the environment; data stores, caches and data transfer are not in it.

use serde::{Deserialize, Serialize};

/// USD for a million requests at the measured mix of cold and warm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// All of it.
    pub per_million_usd: f64,
    /// Lambda's price per request.
    pub requests_usd: f64,
    /// Billed duration, INIT included.
    pub duration_usd: f64,
    /// What of `duration_usd` is INIT.
    pub init_usd: f64,
    /// The HTTP API before it.
    pub api_usd: f64,
    /// Provisioned concurrency at the offered rate; 0 where none is configured.
    pub provisioned_usd: f64,
    /// Cold starts among the requests the mix was measured on.
    pub cold_share: f64,
    /// How many requests that were.
    pub requests: u64,
}
