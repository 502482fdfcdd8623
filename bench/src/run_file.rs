//! The types of `run.json`: everything that any report says.
//!
//! Apart from the computing so that reports link nothing else. Invariant: `schema/run.schema.json` describes exactly these
//! types, keys that are not known are refused, and a number that could not be had is `null`, never 0.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::run_file_older;
use crate::verdict::Verdict;

/// The version these types write; those of [`crate::run_file_older`] are read too.
pub const SCHEMA_VERSION: u32 = 3;

/// A run file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RunFileError {
    /// It cannot be read.
    #[error("{path}: {source}; name a run.json that `bench run` wrote")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what this version writes.
    #[error("{path}: {source}; expected a run.json of schema_version {SCHEMA_VERSION}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// It is of another version.
    #[error(
        "{path}: schema_version is {found}, this bench reads 1 to {SCHEMA_VERSION}; measure again or use the bench that wrote it"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
}

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFile {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The experiment's name.
    pub experiment: String,
    /// Its sentence.
    pub description: String,
    /// The load profile's name.
    pub profile: String,
    /// When the run began, UTC, ISO 8601.
    pub started: String,
    /// When it ended, UTC, ISO 8601.
    pub finished: String,
    /// Where and how it was measured.
    pub environment: Environment,
    /// What was modelled rather than measured, in the words of the report.
    pub modelled: Vec<String>,
    /// What the target does not emulate, in the words of the report.
    pub not_emulated: Vec<String>,
    /// Where every request of the run went.
    pub accounting: Accounting,
    /// In the experiment's order.
    pub variants: Vec<Variant>,
    /// The first variant to each other, and the second to the last.
    pub comparisons: Vec<Comparison>,
}

/// `sent = answered + failed + dropped`, over all variants, rounds and phases, warm-up included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounting {
    /// Requests the plan wanted sent.
    pub sent: u64,
    /// Answered with a 2xx status.
    pub answered: u64,
    /// Answered otherwise, or not at all.
    pub failed: u64,
    /// Never sent, because too many were in flight.
    pub dropped: u64,
}

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
    /// Lambda's list price of a million warm invocations.
    pub cost_per_million_usd: Option<f64>,
    /// The zipped program; none for a command that is an interpreter's.
    pub package_bytes: Option<u64>,
    /// The load phase, where the profile has one.
    pub load: Option<Load>,
    /// What the dependencies counted in the warm phase.
    pub dependencies: Dependencies,
    /// What tracing cost, where some warm requests were traced and some were not.
    pub tracing_cost: Option<TracingCost>,
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

/// A difference over paired rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// Mean of the rounds' differences.
    pub value: f64,
    /// 95 % interval of it.
    pub interval: [f64; 2],
}

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
    /// Whether the median send lag was more than a quarter of the median response: then the response times are the bench's own.
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

/// The dependencies' own counters, for each warm invocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependencies {
    /// Calls of SSM's `GetParameter`, `GetParameters` and `GetParametersByPath`.
    pub ssm_get_parameters_per_invoke: Option<f64>,
    /// Logins at PgBouncer; none where it is not counted.
    pub new_connections_per_invoke: Option<f64>,
}

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
    /// Each round's ratio.
    pub per_round: Vec<f64>,
    /// The verdict; none for a plain ratio, which has no interval to judge by.
    pub verdict: Option<Verdict>,
}

impl RunFile {
    /// Reads the run file at `path`.
    ///
    /// # Errors
    /// If it cannot be read, or is not of this version or an older one.
    pub fn load(path: &Path) -> Result<Self, RunFileError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| RunFileError::Unreadable { path: path.to_owned(), source })?;
        let malformed = |source| RunFileError::Malformed { path: path.to_owned(), source };
        let value: serde_json::Value = serde_json::from_str(&text).map_err(malformed)?;
        let version = value.get("schema_version").and_then(serde_json::Value::as_u64);
        match version {
            Some(older) if run_file_older::VERSIONS.contains(&older) => {
                serde_json::from_value(run_file_older::upgraded(value, SCHEMA_VERSION)).map_err(malformed)
            }
            Some(found) if found != u64::from(SCHEMA_VERSION) => {
                Err(RunFileError::Version { path: path.to_owned(), found })
            }
            // From the text, not the value: only the text's errors know their line.
            _ => serde_json::from_str(&text).map_err(malformed),
        }
    }
}
