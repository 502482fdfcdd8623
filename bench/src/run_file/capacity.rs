//! How many requests a second a variant carries.
//!
//! Apart from the load phase, whose rates the profile gives: here they are raised until something gives way. Invariant: a knee
//! that the host or the bench itself set is stamped so.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The rates each variant carried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    /// The greatest share of errors, dropped requests included, with which a step still passes.
    pub error_share: f64,
    /// The least apdex with which a step still passes.
    pub apdex: f64,
    /// In the order measured.
    pub situations: Vec<Situation>,
}

/// One surrounding in which the variants were driven to their limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Situation {
    /// Its name.
    pub name: String,
    /// What was limited, in words.
    pub description: String,
    /// Sandboxes of each variant at most; none where only the account limits.
    pub sandboxes: Option<u32>,
    /// Parameter Store's requests a second; none where it does not throttle.
    pub ssm_per_second: Option<u32>,
    /// One for each variant.
    pub knees: Vec<Knee>,
}

/// What one variant carried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knee {
    /// The variant.
    pub variant: String,
    /// The greatest rate that passed: geometric mean over the rounds, requests a second.
    pub rate: Option<f64>,
    /// 95 % interval of it.
    pub interval: Option<[f64; 2]>,
    /// The rate for each sandbox that was busy at the knee.
    pub rate_per_sandbox: Option<f64>,
    /// Each round's greatest rate that passed; none where even the first step failed.
    pub per_round: Vec<Option<f64>>,
    /// What ended the climb in each round: `errors`, `apdex`, `host`, `generator`, or `end` where no step failed.
    pub ended_by: Vec<String>,
    /// Every step of every round.
    pub steps: Vec<CapacityStep>,
}

/// One step of a climb.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapacityStep {
    /// From 1.
    pub round: u32,
    /// Arrivals a second.
    pub rate: f64,
    /// Requests of the step.
    pub requests: u64,
    /// How many failed or were dropped, by name.
    pub errors: BTreeMap<String, u64>,
    /// At a threshold of 100 ms.
    pub apdex: f64,
    /// Median response, milliseconds.
    pub response_ms_p50: Option<f64>,
    /// The most sandboxes busy at once.
    pub sandboxes: u64,
    /// Whether the host's processors were less than 10 % idle; none where the system does not tell.
    pub host_limited: Option<bool>,
    /// Whether the bench itself was too late.
    pub generator_limited: bool,
}
