//! Traces as OTLP JSON, which Jaeger and other OpenTelemetry tools open.
//!
//! Apart from the other exports because the encoding has its own rules
//! (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>): ids in hexadecimal, 64-bit numbers as strings, enums as
//! numbers. Invariant: spans are what arrived, at the times that arrived: nothing cut, nothing moved.

use serde_json::{Value, json};

use crate::traces::records::{FUNCTION_ORIGIN, SERVICE_ORIGIN};
use crate::traces::segment::Segment;

/// Span kinds and the status code of the protocol.
const INTERNAL: u8 = 1;
const SERVER: u8 = 2;
const CLIENT: u8 = 3;
const STATUS_ERROR: u8 = 2;

/// One trace to export.
#[derive(Clone, Copy, Debug)]
pub struct Exported<'a> {
    /// The function, which becomes the service.
    pub function: &'a str,
    /// Root of the trace header.
    pub trace_id: &'a str,
    /// What arrived of it.
    pub segments: &'a [Segment],
}

/// An `ExportTraceServiceRequest` of `traces`; a function's spans are one resource's.
pub fn request(traces: &[Exported]) -> Value {
    let mut functions: Vec<&str> = Vec::new();
    for trace in traces {
        if !functions.contains(&trace.function) {
            functions.push(trace.function);
        }
    }
    let resources = functions.into_iter().map(|function| {
        let spans: Vec<Value> = traces
            .iter()
            .filter(|trace| trace.function == function)
            .flat_map(|trace| trace.segments.iter().map(|segment| span(trace.trace_id, segment, trace.segments)))
            .collect();
        let attributes = [text("service.name", function), text("faas.name", function), text("cloud.platform", "aws_lambda")];
        json!({"resource": {"attributes": attributes}, "scopeSpans": [{"scope": {"name": "bench.traces"}, "spans": spans}]})
    });
    json!({"resourceSpans": resources.collect::<Vec<_>>()})
}

fn span(trace_id: &str, segment: &Segment, all: &[Segment]) -> Value {
    let mut attributes = Vec::new();
    attributes.extend(segment.origin.as_deref().map(|origin| text("aws.xray.origin", origin)));
    attributes.extend(segment.namespace.as_deref().map(|namespace| text("aws.xray.namespace", namespace)));
    attributes.extend(segment.request_id.as_deref().map(|id| text("faas.invocation_id", id)));
    attributes.extend(segment.http_status.map(
        |status| json!({"key": "http.response.status_code", "value": {"intValue": status.to_string()}}),
    ));
    attributes.extend(
        segment
            .end_us
            .is_none()
            .then(|| json!({"key": "aws.xray.in_progress", "value": {"boolValue": true}})),
    );
    attributes.extend(segment.annotations.iter().filter_map(|(key, value)| annotation(key, value)));
    let mut span = json!({
        "traceId": trace_hex(trace_id),
        "spanId": span_hex(&segment.id),
        "name": segment.name,
        "kind": kind(segment),
        "startTimeUnixNano": nanoseconds(segment.start_us),
        // A span must end: one that never did ends where it began, and says so.
        "endTimeUnixNano": nanoseconds(segment.end_us.unwrap_or(segment.start_us).max(segment.start_us)),
        "attributes": attributes,
    });
    if let Some(parent) = &segment.parent_id {
        // The service's segment hangs on whoever called it, who is not in this export.
        let known = all.iter().any(|other| other.id == *parent);
        if known || segment.origin.as_deref() != Some(SERVICE_ORIGIN) {
            span["parentSpanId"] = json!(span_hex(parent));
        }
    }
    if let Some(failure) = &segment.failure {
        span["status"] = json!({"code": STATUS_ERROR, "message": failure});
    }
    span
}

fn kind(segment: &Segment) -> u8 {
    match (segment.origin.as_deref(), segment.namespace.as_deref()) {
        (Some(SERVICE_ORIGIN | FUNCTION_ORIGIN), _) => SERVER,
        (_, Some("aws" | "remote")) => CLIENT,
        _ => INTERNAL,
    }
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

fn annotation(key: &str, value: &Value) -> Option<Value> {
    let value = match value {
        Value::Bool(value) => json!({"boolValue": value}),
        Value::String(value) => json!({"stringValue": value}),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => json!({"intValue": whole.to_string()}),
            None => json!({"doubleValue": number}),
        },
        _ => return None,
    };
    Some(json!({"key": key, "value": value}))
}

fn nanoseconds(us: i64) -> String {
    (i128::from(us) * 1000).to_string()
}

/// `1-<8 hex>-<24 hex>` as OpenTelemetry has it: 32 digits.
fn trace_hex(trace_id: &str) -> String {
    let digits: String = trace_id.split_once('-').map_or(trace_id, |(_, rest)| rest).replace('-', "");
    if is_hex(&digits, 32) { digits.to_ascii_lowercase() } else { format!("{:032x}", hash(trace_id)) }
}

fn span_hex(id: &str) -> String {
    if is_hex(id, 16) { id.to_ascii_lowercase() } else { format!("{:016x}", hash(id)) }
}

fn is_hex(digits: &str, length: usize) -> bool {
    digits.len() == length
        && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        && digits.bytes().any(|digit| digit != b'0')
}

/// FNV-1a: an id that is none needs some valid one, the same each time. Never 0, which means "no id".
fn hash(id: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    id.bytes().fold(0xcbf2_9ce4_8422_2325, step).max(1)
}
