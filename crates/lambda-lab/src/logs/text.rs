//! The text log: each event as the line or lines that Lambda prints.
//!
//! Apart from the writing because it is pure. Spelling, order and tabs follow lines of real functions, see the fixtures. Invariant:
//! what comes out is empty or ends with a line feed.

use std::fmt::Write as _;

use super::SandboxFacts;
use super::event::{EventStatus, Initialization, Phase, PlatformEvent, Report, milliseconds};

/// `event` as Lambda's text log has it; empty where it has no line for it.
pub(crate) fn render(event: &PlatformEvent, facts: &SandboxFacts) -> String {
    match event {
        PlatformEvent::InitStart { phase: Phase::Init, .. } => format!(
            "INIT_START Runtime Version: {}\tRuntime Version ARN: {}\n",
            facts.runtime_version, facts.runtime_version_arn
        ),
        PlatformEvent::InitReport {
            initialization: Initialization::OnDemand,
            status: EventStatus::Success,
            ..
        }
        | PlatformEvent::InitStart { phase: Phase::Invoke, .. }
        | PlatformEvent::InitRuntimeDone { .. }
        | PlatformEvent::RuntimeDone { .. } => String::new(),
        PlatformEvent::InitReport { phase, status, error_type, duration, .. } => {
            let mut line = format!(
                "INIT_REPORT Init Duration: {:.2} ms\tPhase: {}\t",
                milliseconds(*duration),
                phase.name()
            );
            end_with_status(&mut line, *status, error_type.as_deref());
            line
        }
        PlatformEvent::Start { request_id, .. } => start_line(request_id),
        PlatformEvent::Fault { request_id: Some(id), message } => {
            format!("RequestId: {id} Error: {message}\n")
        }
        PlatformEvent::Fault { request_id: None, message } => format!("{message}\n"),
        PlatformEvent::Report(report) => end_lines(report),
        PlatformEvent::Extension { name, state, events, error_type } => {
            let mut line =
                format!("EXTENSION\tName: {name}\tState: {state}\tEvents: [{}]", events.join(", "));
            if let Some(error_type) = error_type {
                // Writing to a String cannot fail, here and below.
                let _ = write!(line, "\tError Type: {error_type}");
            }
            line.push('\n');
            line
        }
        PlatformEvent::TelemetrySubscription { name, state, types } => {
            let types: Vec<_> = types.iter().map(|name| capitalized(name)).collect();
            format!("TELEMETRY\tName: {name}\tState: {state}\tTypes: [{}]\n", types.join(", "))
        }
    }
}

fn capitalized(name: &str) -> String {
    let (first, rest) = name.split_at_checked(1).unwrap_or((name, ""));
    first.to_ascii_uppercase() + rest
}

/// The line before an invocation.
pub(crate) fn start_line(request_id: &str) -> String {
    format!("START RequestId: {request_id} Version: $LATEST\n")
}

/// The lines after an invocation.
pub(crate) fn end_lines(report: &Report) -> String {
    let mut lines = format!(
        "END RequestId: {id}\nREPORT RequestId: {id}\tDuration: {duration:.2} ms\tBilled Duration: {billed} ms\t\
         Memory Size: {size} MB\tMax Memory Used: {used} MB\t",
        id = report.request_id,
        duration = milliseconds(report.duration),
        billed = report.billed_ms,
        size = report.memory_mb,
        used = report.max_memory_whole_mb(),
    );
    if let Some(init) = report.init_duration {
        let _ = write!(lines, "Init Duration: {:.2} ms\t", milliseconds(init));
    }
    end_with_status(&mut lines, report.status, report.error_type.as_deref());
    lines
}

/// Success is not told, and leaves the tab before it as the last character; any other status has none after it.
fn end_with_status(line: &mut String, status: EventStatus, error_type: Option<&str>) {
    if status != EventStatus::Success {
        let _ = write!(line, "Status: {}", status.name());
        // A time-out is its own reason.
        if let Some(error_type) = error_type.filter(|_| status != EventStatus::Timeout) {
            let _ = write!(line, "\tError Type: {error_type}");
        }
    }
    line.push('\n');
}
