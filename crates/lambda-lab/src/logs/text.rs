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
    if let Some((trace_id, segment_id)) = &report.xray {
        let _ = writeln!(lines, "XRAY TraceId: {trace_id}\tSegmentId: {segment_id}\tSampled: true\t");
    }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ID: &str = "8286a188-ba32-4475-8077-530cd35c09a9";

    fn ms(milliseconds: f64) -> Duration {
        Duration::from_secs_f64(milliseconds / 1e3)
    }

    fn report(duration_ms: f64, billed_ms: u64, memory_mb: u32, max_memory_mb: f64) -> Report {
        Report {
            request_id: ID.into(),
            trace_header: String::new(),
            status: EventStatus::Success,
            error_type: None,
            duration: ms(duration_ms),
            billed_ms,
            memory_mb,
            max_memory_mb: Some(max_memory_mb),
            init_duration: None,
            xray: None,
        }
    }

    fn text(event: &PlatformEvent) -> String {
        let mut facts = SandboxFacts::new("hello", "s", 128, "us-east-1");
        facts.runtime_version = "provided:al2023.v90".into();
        facts.runtime_version_arn = "arn:aws:lambda:us-east-1::runtime:5a1f".into();
        render(event, &facts)
    }

    /// The REPORT line of a log that was found, with this test's request id.
    fn assert_report(report: Report, expected: &str) {
        let lines = text(&PlatformEvent::Report(Box::new(report)));
        assert_eq!(lines, format!("END RequestId: {ID}\nREPORT RequestId: {ID}\t{expected}"));
    }

    #[test]
    fn a_sampled_invocation_has_its_trace_in_the_report() {
        let xray = Some(("1-677faf89-09a6b95269c6e56c4d1ab356".to_owned(), "7e44b09386b9ab35".to_owned()));
        let mut sampled = Report { xray, ..report(1776.81, 1777, 256, 131.0) };
        sampled.init_duration = Some(ms(1987.45));
        assert_report(
            sampled,
            "Duration: 1776.81 ms\tBilled Duration: 1777 ms\tMemory Size: 256 MB\tMax Memory Used: 131 MB\t\
             Init Duration: 1987.45 ms\t\n\
             XRAY TraceId: 1-677faf89-09a6b95269c6e56c4d1ab356\tSegmentId: 7e44b09386b9ab35\tSampled: true\t\n",
        );
    }

    // The expected lines are those of logs of real functions, byte for byte.
    #[test]
    fn report_lines_read_as_lambda_prints_them() {
        assert_report(
            Report { init_duration: Some(ms(542.01)), ..report(3.1, 546, 2048, 94.2) },
            "Duration: 3.10 ms\tBilled Duration: 546 ms\tMemory Size: 2048 MB\tMax Memory Used: 95 MB\tInit Duration: 542.01 ms\t\n",
        );
        assert_report(
            report(10.05, 11, 128, 3.0),
            "Duration: 10.05 ms\tBilled Duration: 11 ms\tMemory Size: 128 MB\tMax Memory Used: 3 MB\t\n",
        );
        assert_report(
            Report { status: EventStatus::Timeout, ..report(3000.0, 3000, 128, 35.0) },
            "Duration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\tMax Memory Used: 35 MB\tStatus: timeout\n",
        );
        assert_report(
            Report {
                status: EventStatus::Timeout,
                error_type: Some("Sandbox.Timedout".into()),
                init_duration: Some(ms(578.07)),
                ..report(5000.0, 5579, 128, 35.0)
            },
            "Duration: 5000.00 ms\tBilled Duration: 5579 ms\tMemory Size: 128 MB\tMax Memory Used: 35 MB\tInit Duration: 578.07 ms\tStatus: timeout\n",
        );
        assert_report(
            Report {
                status: EventStatus::Error,
                error_type: Some("Runtime.OutOfMemory".into()),
                init_duration: Some(ms(495.04)),
                ..report(8948.73, 8949, 2048, 2048.0)
            },
            "Duration: 8948.73 ms\tBilled Duration: 8949 ms\tMemory Size: 2048 MB\tMax Memory Used: 2048 MB\tInit Duration: 495.04 ms\tStatus: error\tError Type: Runtime.OutOfMemory\n",
        );
    }

    #[test]
    fn init_report_lines_read_as_lambda_prints_them_and_on_demand_success_has_none() {
        let line = |initialization, phase, status, error_type: Option<&str>, duration_ms| {
            let error_type = error_type.map(str::to_owned);
            let duration = ms(duration_ms);
            text(&PlatformEvent::InitReport { initialization, phase, status, error_type, duration })
        };
        let on_demand = Initialization::OnDemand;
        assert_eq!(
            line(on_demand, Phase::Init, EventStatus::Timeout, None, 10_009.13),
            "INIT_REPORT Init Duration: 10009.13 ms\tPhase: init\tStatus: timeout\n"
        );
        assert_eq!(
            line(on_demand, Phase::Invoke, EventStatus::Error, Some("Runtime.ImportModuleError"), 87.28),
            "INIT_REPORT Init Duration: 87.28 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ImportModuleError\n"
        );
        assert_eq!(line(on_demand, Phase::Init, EventStatus::Success, None, 1.0), "");
        let provisioned =
            line(Initialization::ProvisionedConcurrency, Phase::Init, EventStatus::Success, None, 1.0);
        assert_eq!(provisioned, "INIT_REPORT Init Duration: 1.00 ms\tPhase: init\t\n");
    }

    #[test]
    fn the_other_lines_read_as_lambda_prints_them() {
        let (id, name) = (Some(ID.to_owned()), "datadog-agent".to_owned());
        let init_start = |phase| PlatformEvent::InitStart { initialization: Initialization::OnDemand, phase };
        let events = ["INVOKE".to_owned(), "SHUTDOWN".to_owned()];
        let extension = |events: &[String], error_type: Option<&str>| PlatformEvent::Extension {
            name: name.clone(),
            state: "Ready",
            events: events.to_vec(),
            error_type: error_type.map(str::to_owned),
        };
        let fault = "Runtime exited with error: exit status 1\nRuntime.ExitError".to_owned();
        let table = [
            (init_start(Phase::Init), "INIT_START Runtime Version: provided:al2023.v90\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:5a1f\n".to_owned()),
            (init_start(Phase::Invoke), String::new()),
            (
                PlatformEvent::Start { request_id: ID.into(), trace_header: String::new() },
                format!("START RequestId: {ID} Version: $LATEST\n"),
            ),
            (
                PlatformEvent::Fault { request_id: id, message: fault },
                format!("RequestId: {ID} Error: Runtime exited with error: exit status 1\nRuntime.ExitError\n"),
            ),
            (extension(&events, None), "EXTENSION\tName: datadog-agent\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n".to_owned()),
            (extension(&[], None), "EXTENSION\tName: datadog-agent\tState: Ready\tEvents: []\n".to_owned()),
            (
                PlatformEvent::TelemetrySubscription {
                    name: name.clone(),
                    state: "Subscribed",
                    types: vec!["platform", "function", "extension"],
                },
                "TELEMETRY\tName: datadog-agent\tState: Subscribed\tTypes: [Platform, Function, Extension]\n".to_owned(),
            ),
        ];
        for (event, expected) in table {
            assert_eq!(text(&event), expected, "{event:?}");
        }
    }
}
