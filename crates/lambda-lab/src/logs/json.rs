//! The platform's events as JSON: what the Telemetry API delivers, and what a log in JSON format holds, one object a line.
//!
//! Apart from both because they are the same. Names and shapes are those of the event schema,
//! <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html>; the order of keys is that of logs of real
//! functions. Invariant: a line never contains a line feed.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::IgnoredAny;

use super::SandboxFacts;
use super::event::PlatformEvent;
use super::records::{
    Extension, InitStart, LogsDropped, RuntimeDone, RuntimeDoneMetrics, Start, TelemetrySubscription,
    init_done, report_record, response_spans, time, tracing,
};

/// What an event needs to know of what came before it.
#[derive(Clone, Copy, Default)]
pub(super) struct Before {
    /// When the invocation was handed out.
    pub(super) started: Option<Timestamp>,
    /// When its runtime was done, and how long it had taken.
    pub(super) runtime_done: Option<(Timestamp, Duration)>,
    /// Whether an extension takes part in invocations.
    pub(super) extensions: bool,
}

impl Before {
    /// Remembers what later events need of `event`.
    pub(super) fn note(&mut self, event: &PlatformEvent, now: Timestamp) {
        match event {
            PlatformEvent::Start { .. } => {
                self.started = Some(now);
                self.runtime_done = None;
            }
            PlatformEvent::RuntimeDone { duration, .. } => self.runtime_done = Some((now, *duration)),
            PlatformEvent::Extension { events, .. } => {
                self.extensions |= events.iter().any(|event| event == "INVOKE");
            }
            _ => {}
        }
    }
}

/// `event`, which happened at `now`, as one object without a line feed.
pub(super) fn render(
    event: &PlatformEvent,
    now: Timestamp,
    facts: &SandboxFacts,
    before: &Before,
) -> Vec<u8> {
    use PlatformEvent as E;
    match event {
        E::InitStart { initialization, phase } => envelope(
            now,
            "platform.initStart",
            &InitStart {
                initialization_type: initialization.name(),
                phase: phase.name(),
                runtime_version: &facts.runtime_version,
                runtime_version_arn: &facts.runtime_version_arn,
                function_name: &facts.function_name,
                function_version: &facts.function_version,
                instance_id: &facts.instance_id,
                instance_max_memory: u64::from(facts.memory_mb) << 20,
            },
        ),
        E::InitRuntimeDone { initialization, phase, status, error_type } => {
            let done = init_done(*initialization, *phase, *status, error_type.as_deref(), None);
            envelope(now, "platform.initRuntimeDone", &done)
        }
        E::InitReport { initialization, phase, status, error_type, duration } => {
            let done = init_done(*initialization, *phase, *status, error_type.as_deref(), Some(*duration));
            envelope(now, "platform.initReport", &done)
        }
        E::Start { request_id, trace_header } => envelope(
            now,
            "platform.start",
            &Start {
                request_id,
                function_arn: &facts.function_arn,
                version: &facts.function_version,
                tracing: tracing(trace_header),
            },
        ),
        E::RuntimeDone { request_id, trace_header, status, error_type, duration, produced_bytes, .. } => {
            let record = RuntimeDone {
                request_id,
                status: status.name(),
                error_type: error_type.as_deref(),
                spans: response_spans(event, before),
                metrics: RuntimeDoneMetrics { duration_ms: *duration, produced_bytes: *produced_bytes },
                tracing: tracing(trace_header),
            };
            envelope(now, "platform.runtimeDone", &record)
        }
        E::Fault { request_id, message } => {
            let id = request_id.as_ref().map(|id| format!("RequestId: {id} Error: ")).unwrap_or_default();
            envelope(now, "platform.fault", &format!("{id}{message}"))
        }
        E::Report(report) => envelope(now, "platform.report", &report_record(report, before)),
        E::Extension { name, state, events, error_type } => envelope(
            now,
            "platform.extension",
            &Extension { name, state, events, error_type: error_type.as_deref() },
        ),
        E::TelemetrySubscription { name, state, types } => {
            envelope(now, "platform.telemetrySubscription", &TelemetrySubscription { name, state, types })
        }
    }
}

/// What a subscriber is told of events it did not get.
pub(super) fn logs_dropped(records: u64, bytes: u64, now: Timestamp) -> Vec<u8> {
    // The words of AWS's example.
    let reason = "Consumer seems to have fallen behind as it has not acknowledged receipt of logs.";
    let record = LogsDropped { reason, dropped_records: records, dropped_bytes: bytes };
    envelope(now, "platform.logsDropped", &record)
}

/// A line a process printed, as an event of type `kind`. In a JSON log a line that is an object stays one; else it is a string.
pub(super) fn line(line: &[u8], kind: &'static str, now: Timestamp, objects: bool) -> Vec<u8> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    if objects && serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(line).is_ok() {
        // As it was printed, with its own order of keys.
        let head = format!("{{\"time\":\"{}\",\"type\":\"{kind}\",\"record\":", time(now));
        return [head.as_bytes(), line.trim_ascii(), b"}"].concat();
    }
    envelope(now, kind, &String::from_utf8_lossy(line))
}

fn envelope<T: Serialize + ?Sized>(now: Timestamp, kind: &'static str, record: &T) -> Vec<u8> {
    #[derive(Serialize)]
    struct Envelope<'a, T: ?Sized> {
        time: String,
        #[serde(rename = "type")]
        kind: &'static str,
        record: &'a T,
    }
    // These are strings, numbers and lists of them: they always have a JSON form.
    serde_json::to_vec(&Envelope { time: time(now), kind, record }).unwrap_or_default()
}
