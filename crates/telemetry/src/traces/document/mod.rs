//! A span as an X-Ray subsegment document.
//!
//! Apart because it is a format of AWS's own. Why ours, where opentelemetry-aws has `SegmentTranslator`: measured in a binary
//! of this stack (`lambda` profile, x86_64), the translator and its regular expressions add 560 kB to a zipped package
//! of 2.2 MB and 1.4 ms to the first trace of a sandbox; and it loses a span, silently, whose name X-Ray would refuse
//! (`GET product:{id}`) or whose trace id is older than 30 days. It stays the judge of these documents in the tests.
//!
//! Format: <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html>. Invariant: whatever a span holds,
//! what comes out is a subsegment that X-Ray accepts, or an error that names the loss; never a segment, which is Lambda's to
//! make.

mod attributes;
mod cause;
mod fit;

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{SpanId, Status};
use opentelemetry_sdk::trace::SpanData;

use self::attributes::Attributes;
use super::losses::Loss;
use crate::json;

/// X-Ray takes 64 kB, the daemon 64 kB with the header before it.
pub(crate) const MAX_BYTES: usize = 60_000;

/// What all documents of a process have in common.
#[derive(Clone, Debug)]
pub(crate) struct Style {
    /// The namespace of the metadata.
    pub(crate) service: String,
    /// False: errors are flagged, and not described.
    pub(crate) capture_error: bool,
}

/// Appends `span` as a document.
///
/// A document over 60 kB is written without its metadata, which then says how much was left out.
///
/// # Errors
/// The cause under which the span is lost; nothing has been appended then.
pub(crate) fn write(json: &mut Vec<u8>, span: &SpanData, style: &Style) -> Result<(), Loss> {
    if !span.span_context.is_valid() || span.parent_span_id == SpanId::INVALID {
        return Err(Loss::NoParent);
    }
    let start = json.len();
    let attributes = Attributes::sort(&span.attributes);
    write_whole(json, span, style, &attributes);
    let length = json.len() - start;
    if length > MAX_BYTES {
        json.truncate(start);
        write_whole(json, span, style, &attributes.without_metadata(length));
    }
    if json.len() - start > MAX_BYTES {
        json.truncate(start);
        return Err(Loss::TooLarge);
    }
    Ok(())
}

fn write_whole(json: &mut Vec<u8>, span: &SpanData, style: &Style, attributes: &Attributes<'_>) {
    json.extend_from_slice(b"{\"name\":");
    json::string(json, &fit::name(&span.name));
    write_ids(json, span);
    write_times(json, span);
    let namespace = attributes.namespace(&span.span_kind);
    if let Some(namespace) = namespace {
        json::key(json, "namespace");
        json::string(json, namespace);
    }
    let flags = flags(span, attributes);
    for flag in flags {
        json::key(json, flag);
        json::plain(json, true);
    }
    if style.capture_error && !flags.is_empty() {
        cause::write(json, span, attributes);
    }
    attributes.write(json, &style.service, namespace);
    json.push(b'}');
}

fn write_ids(json: &mut Vec<u8>, span: &SpanData) {
    let trace = span.span_context.trace_id().to_bytes();
    json.extend_from_slice(b",\"id\":\"");
    push_hex(json, &span.span_context.span_id().to_bytes());
    json.extend_from_slice(b"\",\"trace_id\":\"1-");
    push_hex(json, &trace[..4]);
    json.push(b'-');
    push_hex(json, &trace[4..]);
    json.extend_from_slice(b"\",\"parent_id\":\"");
    push_hex(json, &span.parent_span_id.to_bytes());
    json.extend_from_slice(b"\",\"type\":\"subsegment\"");
}

/// A clock that was set back while the step ran gives a step without a length, not one that ends before it starts.
fn write_times(json: &mut Vec<u8>, span: &SpanData) {
    json.extend_from_slice(b",\"start_time\":");
    push_seconds(json, span.start_time);
    json.extend_from_slice(b",\"end_time\":");
    push_seconds(json, span.end_time.max(span.start_time));
}

/// Seconds since the epoch with microseconds, digit by digit: as a 64-bit float it would print with seven decimals of noise.
fn push_seconds(json: &mut Vec<u8>, time: SystemTime) {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    json::plain(json, format_args!("{}.{:06}", since.as_secs(), since.subsec_micros()));
}

fn push_hex(json: &mut Vec<u8>, bytes: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        json.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

/// As X-Ray defines them: `error` is the caller's doing (4xx), `throttle` one kind of it, `fault` the callee's.
fn flags(span: &SpanData, attributes: &Attributes<'_>) -> &'static [&'static str] {
    match attributes.http_status() {
        Some(429) => &["error", "throttle"],
        Some(400..=499) => &["error"],
        Some(500..=599) => &["fault"],
        _ if matches!(span.status, Status::Error { .. }) => &["fault"],
        _ => &[],
    }
}
