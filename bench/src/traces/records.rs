//! The lines a run leaves behind, as far as a comparison of traces needs them.
//!
//! Apart from the reading because this is the one place that knows how `traces/documents.jsonl` and `invocations.jsonl` are
//! spelt. Invariant: every key that a document may lack is optional here, so that a poor document costs itself alone and no
//! other.

use serde::Deserialize;
use serde_json::{Map, Value};

/// Origin of the segment that the Lambda service sends for a request.
pub const SERVICE_ORIGIN: &str = "AWS::Lambda";
/// Origin of the segment that stands for the function's own work.
pub const FUNCTION_ORIGIN: &str = "AWS::Lambda::Function";

/// One line of `traces/documents.jsonl`: a document as it arrived.
#[derive(Clone, Debug, Deserialize)]
pub struct DocumentLine {
    /// The X-Ray document; null where what arrived was no JSON object.
    #[serde(default)]
    pub document: Option<Value>,
    /// What the receiver found wrong with it; empty for a valid document.
    #[serde(default)]
    pub problems: Vec<String>,
}

/// An X-Ray segment document, or a subsegment of one.
/// Source: <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html>.
#[derive(Clone, Debug, Deserialize)]
pub struct Document {
    /// The name, such as `## handler`.
    pub name: String,
    /// 16 hexadecimal digits; the reader makes one up for a subsegment inside another that has none.
    #[serde(default)]
    pub id: Option<String>,
    /// `1-<8 hex>-<24 hex>`; subsegments inside another document leave it out.
    #[serde(default)]
    pub trace_id: Option<String>,
    /// The segment it hangs on.
    #[serde(default)]
    pub parent_id: Option<String>,
    /// Seconds since the Unix epoch.
    pub start_time: f64,
    /// Seconds since the Unix epoch; none while it is in progress.
    #[serde(default)]
    pub end_time: Option<f64>,
    /// Which kind of service sent it.
    #[serde(default)]
    pub origin: Option<String>,
    /// `aws` or `remote`: a call that left the function.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Indexed facts.
    #[serde(default)]
    pub annotations: Map<String, Value>,
    /// The `aws` block.
    #[serde(default)]
    pub aws: Map<String, Value>,
    /// The `http` block.
    #[serde(default)]
    pub http: Map<String, Value>,
    /// The server's own failure.
    #[serde(default)]
    pub fault: bool,
    /// The caller's failure.
    #[serde(default)]
    pub error: bool,
    /// Turned away.
    #[serde(default)]
    pub throttle: bool,
    /// Why it failed.
    #[serde(default)]
    pub cause: Option<Value>,
    /// What is nested in it.
    #[serde(default)]
    pub subsegments: Vec<Document>,
}

/// One line of `invocations.jsonl`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct InvocationLine {
    /// The function's name, which is the variant's.
    pub function: String,
    /// Lambda's request id.
    pub request_id: String,
    /// Root of the trace header.
    pub trace_id: String,
    /// Whether the request waited for a new sandbox.
    pub cold: bool,
    /// When the event was handed out, microseconds since the Unix epoch.
    pub started_unix_us: u64,
    /// How long INIT took; only on cold invocations.
    #[serde(default)]
    pub init_ms: Option<f64>,
    /// From handing out the event until the next one was asked for.
    pub duration_ms: f64,
    /// Whether it was traced; runs of older labs do not say.
    #[serde(default)]
    pub sampled: bool,
}

impl InvocationLine {
    /// What the request waited for, in microseconds: INIT, where it did, and the invocation.
    pub fn waited_us(&self) -> i64 {
        microseconds(self.init_ms.filter(|_| self.cold).unwrap_or(0.0) + self.duration_ms)
    }
}

/// Whole microseconds of `milliseconds`; nonsense is 0.
pub fn microseconds(milliseconds: f64) -> i64 {
    // `as` saturates and turns what is no number into 0.
    (milliseconds.max(0.0) * 1e3).round() as i64
}
