//! The records of the platform's events, as the types that serde writes.
//!
//! Apart from choosing and filling them. Invariant: the order of fields is the order of keys.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};

use super::event::{EventStatus, Initialization, Phase, PlatformEvent, Report, milliseconds};
use super::json::Before;

/// As all of Lambda's events tell the time.
pub(super) fn time(timestamp: Timestamp) -> String {
    timestamp.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// Three decimals, as real events have them.
fn to_milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((milliseconds(*duration) * 1e3).round() / 1e3)
}

fn to_milliseconds_if<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => to_milliseconds(duration, serializer),
        None => serializer.serialize_none(),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InitStart<'a> {
    pub(super) initialization_type: &'static str,
    pub(super) phase: &'static str,
    pub(super) runtime_version: &'a str,
    pub(super) runtime_version_arn: &'a str,
    pub(super) function_name: &'a str,
    pub(super) function_version: &'a str,
    pub(super) instance_id: &'a str,
    /// Bytes.
    pub(super) instance_max_memory: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InitDone<'a> {
    pub(super) initialization_type: &'static str,
    pub(super) phase: &'static str,
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metrics: Option<InitMetrics>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InitMetrics {
    #[serde(serialize_with = "to_milliseconds")]
    pub(super) duration_ms: Duration,
}

pub(super) fn init_done(
    initialization: Initialization,
    phase: Phase,
    status: EventStatus,
    error_type: Option<&str>,
    duration: Option<Duration>,
) -> InitDone<'_> {
    InitDone {
        initialization_type: initialization.name(),
        phase: phase.name(),
        status: status.name(),
        error_type,
        metrics: duration.map(|duration_ms| InitMetrics { duration_ms }),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Start<'a> {
    pub(super) request_id: &'a str,
    pub(super) function_arn: &'a str,
    pub(super) version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tracing: Option<Tracing<'a>>,
}

#[derive(Serialize)]
pub(super) struct Tracing<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) value: &'a str,
}

/// Events of functions whose trace is not sampled were seen without it.
pub(super) fn tracing(header: &str) -> Option<Tracing<'_>> {
    header.contains("Sampled=1").then_some(Tracing { kind: "X-Amzn-Trace-Id", value: header })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RuntimeDone<'a> {
    pub(super) request_id: &'a str,
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) spans: Vec<Span>,
    pub(super) metrics: RuntimeDoneMetrics,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tracing: Option<Tracing<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RuntimeDoneMetrics {
    #[serde(serialize_with = "to_milliseconds")]
    pub(super) duration_ms: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) produced_bytes: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span {
    pub(super) name: &'static str,
    pub(super) start: String,
    #[serde(serialize_with = "to_milliseconds")]
    pub(super) duration_ms: Duration,
}

fn span(name: &'static str, start: Timestamp, duration: Duration) -> Span {
    Span { name, start: time(start), duration_ms: duration }
}

fn later(start: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| start.checked_add(by).ok()).unwrap_or(start)
}

/// How the runtime's time divides: until its response begins, until it is sent, until it asks for the next event.
pub(super) fn response_spans(event: &PlatformEvent, before: &Before) -> Vec<Span> {
    let PlatformEvent::RuntimeDone { duration, response_latency: Some(latency), response_duration, .. } =
        event
    else {
        return Vec::new();
    };
    let Some(start) = before.started else {
        return Vec::new();
    };
    let response = response_duration.unwrap_or_default();
    let responding = later(start, *latency);
    vec![
        span("responseLatency", start, *latency),
        span("responseDuration", responding, response),
        span("runtimeOverhead", later(responding, response), duration.saturating_sub(*latency + response)),
    ]
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportRecord<'a> {
    pub(super) request_id: &'a str,
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_type: Option<&'a str>,
    pub(super) metrics: ReportMetrics,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) spans: Vec<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tracing: Option<Tracing<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportMetrics {
    #[serde(serialize_with = "to_milliseconds")]
    pub(super) duration_ms: Duration,
    pub(super) billed_duration_ms: u64,
    #[serde(rename = "memorySizeMB")]
    pub(super) memory_size_mb: u32,
    #[serde(rename = "maxMemoryUsedMB")]
    pub(super) max_memory_used_mb: u64,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "to_milliseconds_if")]
    pub(super) init_duration_ms: Option<Duration>,
}

pub(super) fn report_record<'a>(report: &'a Report, before: &Before) -> ReportRecord<'a> {
    let overhead = before
        .runtime_done
        .filter(|_| before.extensions)
        .map(|(done, took)| span("extensionOverhead", done, report.duration.saturating_sub(took)));
    ReportRecord {
        request_id: &report.request_id,
        status: report.status.name(),
        error_type: report.error_type.as_deref(),
        metrics: ReportMetrics {
            duration_ms: report.duration,
            billed_duration_ms: report.billed_ms,
            memory_size_mb: report.memory_mb,
            max_memory_used_mb: report.max_memory_whole_mb(),
            init_duration_ms: report.init_duration,
        },
        spans: overhead.into_iter().collect(),
        tracing: tracing(&report.trace_header),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Extension<'a> {
    pub(super) name: &'a str,
    pub(super) state: &'a str,
    pub(super) events: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_type: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct TelemetrySubscription<'a> {
    pub(super) name: &'a str,
    pub(super) state: &'a str,
    pub(super) types: &'a [&'static str],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogsDropped<'a> {
    pub(super) reason: &'a str,
    pub(super) dropped_records: u64,
    pub(super) dropped_bytes: u64,
}
