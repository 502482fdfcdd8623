//! What one invocation becomes on paper: its record, and the report that its log tells.
//!
//! Apart from placement and from the files because it is pure; how a report reads is the log's.
//! Invariant: every number comes from the sandbox's measurement; rounding is the only thing done to it.

use std::time::Duration;

use crate::function::FunctionConfig;
use crate::logs::{self, EventStatus, Report};
use crate::records::{Invocation, Status};
use crate::sandbox::state::Answer;
use crate::sandbox::{Init, InvocationRequest, Measured, Outcome};

/// The record of an invocation that the sandbox `sandbox` served; `init` if it was the sandbox's first.
pub(crate) fn invocation(
    function: &FunctionConfig,
    request: &InvocationRequest,
    sandbox: &str,
    init: Option<Init>,
    measured: &Measured,
) -> Invocation {
    let (status, error_type) = match &measured.outcome {
        Outcome::Answered(Answer::Response(_)) => (Status::Success, None),
        Outcome::Answered(Answer::Error { error_type, .. }) => (Status::Error, Some(error_type.clone())),
        Outcome::TimedOut => (Status::Timeout, Some("Sandbox.Timedout".to_owned())),
        Outcome::Ended(ended) => (Status::Error, Some(ended.error_type.clone())),
    };
    let init_ms = init.map(|init| milliseconds(init.duration));
    let duration_ms = milliseconds(measured.duration);
    let since_epoch = measured.started.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Invocation {
        function: function.name.clone(),
        request_id: request.request_id.clone(),
        trace_id: request.trace_id.clone(),
        sandbox: sandbox.to_owned(),
        cold: init.is_some(),
        started_unix_us: u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX),
        init_ms,
        duration_ms,
        response_ms: milliseconds(measured.response),
        billed_ms: billed_ms(init_ms.unwrap_or(0.0) + duration_ms),
        memory_mb: function.memory_mb,
        max_memory_mb: measured.peak_memory_mb,
        cpu_ms: measured.cpu.map(milliseconds),
        init_cpu_ms: init.and_then(|init| init.cpu).map(milliseconds),
        status,
        error_type,
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Milliseconds rounded up, as Lambda bills them.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn billed_ms(milliseconds: f64) -> u64 {
    // A duration in milliseconds is positive and far below 2^53.
    milliseconds.ceil() as u64
}

/// What the log tells of `invocation`.
pub(crate) fn report(invocation: &Invocation, trace_header: &str) -> Report {
    Report {
        request_id: invocation.request_id.clone(),
        trace_header: trace_header.to_owned(),
        status: match invocation.status {
            Status::Success => EventStatus::Success,
            Status::Error => EventStatus::Error,
            Status::Timeout => EventStatus::Timeout,
        },
        error_type: invocation.error_type.clone(),
        duration: Duration::from_secs_f64(invocation.duration_ms / 1e3),
        billed_ms: invocation.billed_ms,
        memory_mb: invocation.memory_mb,
        max_memory_mb: invocation.max_memory_mb,
        init_duration: invocation.init_ms.map(|init_ms| Duration::from_secs_f64(init_ms / 1e3)),
    }
}

/// The END and REPORT lines of `invocation`.
pub(crate) fn end_lines(invocation: &Invocation) -> String {
    logs::end_lines(&report(invocation, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation() -> Invocation {
        Invocation {
            function: "hello".into(),
            request_id: "8286a188-ba32-4475-8077-530cd35c09a9".into(),
            trace_id: "1-5e1b4151-43a0913a12345678901234567".into(),
            sandbox: "s".into(),
            cold: true,
            started_unix_us: 0,
            init_ms: Some(542.01),
            duration_ms: 3.1,
            response_ms: 3.0,
            billed_ms: 546,
            memory_mb: 2048,
            max_memory_mb: Some(94.2),
            cpu_ms: None,
            init_cpu_ms: None,
            status: Status::Success,
            error_type: None,
        }
    }

    #[test]
    fn a_record_and_its_report_line_tell_the_same() {
        let expected = "END RequestId: 8286a188-ba32-4475-8077-530cd35c09a9\nREPORT RequestId: \
            8286a188-ba32-4475-8077-530cd35c09a9\tDuration: 3.10 ms\tBilled Duration: 546 ms\tMemory Size: 2048 MB\t\
            Max Memory Used: 95 MB\tInit Duration: 542.01 ms\t\n";
        assert_eq!(end_lines(&invocation()), expected);
        let error = Invocation {
            status: Status::Error,
            error_type: Some("Runtime.OutOfMemory".into()),
            init_ms: None,
            ..invocation()
        };
        assert!(end_lines(&error).ends_with("95 MB\tStatus: error\tError Type: Runtime.OutOfMemory\n"));
    }
}
