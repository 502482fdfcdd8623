//! What one invocation becomes on paper: its record, and Lambda's START, END and REPORT lines.
//!
//! Apart from placement and from the files because it is pure. Spelling and order follow real REPORT lines, tabs included.
//! Invariant: every number comes from the sandbox's measurement; rounding is the only thing done to it.

use std::time::Duration;

use crate::function::FunctionConfig;
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
        throttled_ms: None,
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

/// The line Lambda prints before an invocation.
pub(crate) fn start_line(request_id: &str) -> String {
    format!("START RequestId: {request_id} Version: $LATEST\n")
}

/// The END and REPORT lines of `invocation`, in Lambda's order and spelling (tab separated, a tab at the end).
pub(crate) fn end_lines(invocation: &Invocation) -> String {
    use std::fmt::Write as _;
    let Invocation { request_id, duration_ms, billed_ms, memory_mb, .. } = invocation;
    let max_memory_mb = invocation.max_memory_mb.unwrap_or(0.0).ceil();
    let mut lines = format!(
        "END RequestId: {request_id}\nREPORT RequestId: {request_id}\tDuration: {duration_ms:.2} ms\t\
         Billed Duration: {billed_ms} ms\tMemory Size: {memory_mb} MB\tMax Memory Used: {max_memory_mb} MB\t"
    );
    if let Some(init_ms) = invocation.init_ms {
        // Writing to a String cannot fail.
        let _ = write!(lines, "Init Duration: {init_ms:.2} ms\t");
    }
    match invocation.status {
        Status::Success => {}
        Status::Timeout => lines.push_str("Status: timeout\t"),
        Status::Error => {
            let error_type = invocation.error_type.as_deref().unwrap_or("Runtime.Unknown");
            let _ = write!(lines, "Status: error\tError Type: {error_type}\t");
        }
    }
    lines.push('\n');
    lines
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
            throttled_ms: None,
            status: Status::Success,
            error_type: None,
        }
    }

    #[test]
    fn report_line_of_a_cold_start_reads_as_lambda_prints_it() {
        let expected = "END RequestId: 8286a188-ba32-4475-8077-530cd35c09a9\nREPORT RequestId: \
            8286a188-ba32-4475-8077-530cd35c09a9\tDuration: 3.10 ms\tBilled Duration: 546 ms\tMemory Size: 2048 MB\t\
            Max Memory Used: 95 MB\tInit Duration: 542.01 ms\t\n";
        assert_eq!(end_lines(&invocation()), expected);
    }

    #[test]
    fn report_line_tells_errors_and_time_outs() {
        let error = Invocation {
            status: Status::Error,
            error_type: Some("Runtime.OutOfMemory".into()),
            init_ms: None,
            ..invocation()
        };
        assert!(end_lines(&error).ends_with("95 MB\tStatus: error\tError Type: Runtime.OutOfMemory\t\n"));
        let timeout = Invocation { status: Status::Timeout, ..invocation() };
        assert!(end_lines(&timeout).ends_with("Init Duration: 542.01 ms\tStatus: timeout\t\n"));
    }
}
