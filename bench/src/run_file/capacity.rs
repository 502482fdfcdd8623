//! How many requests a second a variant carries.
//!
//! Apart from the load phase, whose rates the profile gives: here they are raised until something gives way. Invariant: a knee
//! that the host or the bench itself set is stamped so, is only a lower bound, and takes part in no verdict.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::verdict::Verdict;

/// The rates each variant carried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    /// The greatest share of errors, dropped requests included, with which a step still passes.
    pub error_share: f64,
    /// The least apdex with which a step still passes.
    pub apdex: f64,
    /// Each rate of a climb is so many times the one before, until a step fails twice.
    pub factor: f64,
    /// How often the gap between passed and failed is then halved.
    pub bisections: u32,
    /// In the order measured.
    pub situations: Vec<Situation>,
}

/// One surrounding in which the variants were driven to their limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Situation {
    /// Its name, and that of its folder beside `run.json`.
    pub name: String,
    /// What was limited, in words.
    pub description: String,
    /// Reserved concurrency of each variant; none where only the account limits.
    pub reserved_concurrency: Option<u32>,
    /// The account's concurrent executions; none: Lambda's default.
    pub concurrent_executions: Option<u32>,
    /// Parameter Store's requests a second; none where it does not throttle.
    pub ssm_per_second: Option<u32>,
    /// How long a step lasts.
    pub step_s: f64,
    /// How much of its beginning is not judged: new sandboxes start there, and what a limit had saved up is spent.
    pub warm_up_s: f64,
    /// The first rate of the first round's climbs, requests a second; later rounds begin a part of the finest step higher.
    pub start_rate: u32,
    /// The last rate of a climb that nothing stops.
    pub ceiling: u32,
    /// One for each variant.
    pub knees: Vec<Knee>,
    /// The first variant to each other, and the second to the last.
    pub ratios: Vec<KneeRatio>,
}

/// What one variant carried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knee {
    /// The variant.
    pub variant: String,
    /// The greatest rate that passed: geometric mean over the rounds, requests a second.
    pub rate: Option<f64>,
    /// Whether that is only a lower bound: in some round the host, the bench or the ceiling ended the climb.
    pub lower_bound: bool,
    /// 95 % interval of it, by Student's t over the rounds.
    pub interval: Option<[f64; 2]>,
    /// The rate for each sandbox: the reserved number, or else as many as were busy at once at the knee.
    pub rate_per_sandbox: Option<f64>,
    /// Each round's greatest rate that passed; none where even the first step failed.
    pub per_round: Vec<Option<f64>>,
    /// What ended the climb in each round: `errors`, `apdex`, `host`, `generator`, or `end` where no step failed.
    pub ended_by: Vec<String>,
    /// Response time at the knee, milliseconds: mean of the rounds' medians.
    pub response_ms_p50: Option<f64>,
    /// Apdex at the knee, mean of the rounds.
    pub apdex: Option<f64>,
    /// The steps just above the knee; none where no step failed.
    pub beyond: Option<Beyond>,
    /// Every step of every round.
    pub steps: Vec<CapacityStep>,
}

/// The steps that failed at the lowest rate above each round's knee, together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beyond {
    /// Their rate, geometric mean over the rounds, requests a second.
    pub rate: f64,
    /// Their judged requests.
    pub requests: u64,
    /// How many of those failed or were dropped, by name.
    pub errors: BTreeMap<String, u64>,
}

/// One step of a climb. What is said of it is of its judged requests, those after the warm-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapacityStep {
    /// From 1.
    pub round: u32,
    /// When it began, from the climb's beginning: its requests are those of the variant and round in `samples.jsonl` whose
    /// `intended_us` is from here on.
    pub began_us: u64,
    /// Arrivals a second.
    pub rate: f64,
    /// Requests before the judged ones.
    pub warm_up_requests: u64,
    /// Judged requests.
    pub requests: u64,
    /// How many failed or were dropped, by name.
    pub errors: BTreeMap<String, u64>,
    /// At a threshold of 100 ms.
    pub apdex: f64,
    /// Median response, milliseconds; none with fewer than 20 values.
    pub response_ms_p50: Option<f64>,
    /// The most sandboxes busy at once.
    pub sandboxes: u64,
    /// Share of the host's processors that was idle; none where the system does not tell.
    pub idle_share: Option<f64>,
    /// Whether that was less than 10 %; none where the system does not tell.
    pub host_limited: Option<bool>,
    /// Whether the bench itself was too late.
    pub generator_limited: bool,
    /// Why it did not pass: `errors`, `apdex`, `host` or `generator`; none: it passed.
    pub failed_by: Option<String>,
}

/// Two variants' knees, round by round. More is better here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KneeRatio {
    /// The variant that is divided by.
    pub from: String,
    /// The variant that is judged.
    pub to: String,
    /// To / from, geometric mean over the rounds: above 1, `to` carries more. None where either knee is a lower bound or missing.
    pub ratio: Option<f64>,
    /// 95 % interval of it.
    pub interval: Option<[f64; 2]>,
    /// Each round's ratio.
    pub per_round: Vec<f64>,
    /// `better` where the whole interval is above 1.
    pub verdict: Verdict,
    /// Why there is none, in a few words.
    pub reason: Option<String>,
}
