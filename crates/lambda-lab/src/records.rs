//! What the lab writes down about its work: one [`Invocation`] a line in `invocations.jsonl`, one [`TraceDocument`] a line in
//! `traces/documents.jsonl`, and a [`TracesSummary`].
//!
//! Apart from the lab's insides because the bench reads it too, and because a run on AWS fills the same record from REPORT
//! lines. Invariant: every number here was measured; what is modelled never enters this record.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How an invocation ended, in the words of Lambda's `Status` field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The function posted a response.
    Success,
    /// The function posted an error, or its process ended.
    Error,
    /// The function did not answer within its time-out.
    Timeout,
}

/// One invocation, as its REPORT line tells it. Times are milliseconds unless the name says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invocation {
    /// The function's name, which is the variant's name in the experiment file.
    pub function: String,
    /// `Lambda-Runtime-Aws-Request-Id`.
    pub request_id: String,
    /// Root of the trace header, `1-<8 hex>-<24 hex>`: joins the bench's sample to this record.
    pub trace_id: String,
    /// Whether Lambda recorded segments of it: its function's tracing is active, and its caller or the service decided to sample.
    #[serde(default)]
    pub sampled: bool,
    /// Which sandbox served it; unique within a run.
    pub sandbox: String,
    /// Whether this request waited for a new sandbox: its first invocation, unless it was provisioned ahead.
    pub cold: bool,
    /// When the event was handed to the runtime, microseconds since the Unix epoch.
    pub started_unix_us: u64,
    /// From spawning the sandbox's processes to the last first `next` call; only on cold invocations, and
    /// not where INIT failed and was repeated within the invocation.
    pub init_ms: Option<f64>,
    /// From handing out the event until the runtime and its extensions asked for the next one.
    pub duration_ms: f64,
    /// From handing out the event until the function's response had arrived.
    pub response_ms: f64,
    /// What Lambda would bill: init (where it was not paid for as provisioned concurrency) plus duration, rounded up to a
    /// whole millisecond.
    pub billed_ms: u64,
    /// The function's configured memory, in MB.
    pub memory_mb: u32,
    /// The function's configured provisioned concurrency; 0 for none.
    #[serde(default)]
    pub provisioned_concurrency: u32,
    /// Whether it was served by a sandbox of the provisioned concurrency, not by one started on demand.
    #[serde(default)]
    pub provisioned: bool,
    /// Peak memory of the sandbox so far, in MB (2^20 bytes): the greater of its cgroup's and the sum of its programs' peak resident
    /// sizes, or the one there is; none where the system does not tell.
    pub max_memory_mb: Option<f64>,
    /// Processor time of all the sandbox's processes during this invocation; none where the system does not tell.
    pub cpu_ms: Option<f64>,
    /// Processor time of all the sandbox's processes during INIT; only on cold invocations.
    pub init_cpu_ms: Option<f64>,
    /// How long this invocation was kept from running because the CPU share of its memory size was used up; none where no limit
    /// is enforced or the system does not tell. Measured, as the kernel counts it: summed over the sandbox's processors, so it
    /// may exceed the duration.
    pub throttled_ms: Option<f64>,
    /// How it ended.
    pub status: Status,
    /// Lambda's error type, such as `Runtime.ExitError`, where there is one.
    pub error_type: Option<String>,
}

/// Who a trace document came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DocumentSource {
    /// The service itself.
    Lambda,
    /// The daemon's port, as a segment document.
    Daemon,
    /// The daemon's port, as spans of OpenTelemetry.
    Otlp,
}

/// One line of `traces/documents.jsonl`, in the order of arrival: a child may stand before its parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceDocument {
    /// When it came, microseconds since the Unix epoch.
    pub received_unix_us: u64,
    /// Where from.
    pub source: DocumentSource,
    /// What is wrong with it, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// The X-Ray document; null where what came is none.
    pub document: Value,
    /// How what is no document begins, 200 bytes at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// `traces/summary.json`, written when the lab ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracesSummary {
    /// Invocations of which the service recorded segments.
    pub sampled_invocations: u64,
    /// Lines of `documents.jsonl`.
    pub documents: u64,
    /// Those with problems.
    pub invalid_documents: u64,
    /// Datagrams that the kernel dropped at the daemon's port; none where the system does not tell.
    pub datagrams_lost: Option<u64>,
    /// Documents of a trace that the lab handed to no function as sampled.
    pub unknown_trace: u64,
    /// Parents that documents name and that never came.
    #[serde(default)]
    pub missing_parents: u64,
    /// Spans of OpenTelemetry that their sender marked as not sampled; X-Ray makes no documents of them.
    #[serde(default)]
    pub unsampled_spans: u64,
}
