//! What one invocation becomes on paper: its record, and the report of the log.
//!
//! Apart from the sandbox and from the files because it is pure. Invariant: every number comes from the sandbox's measurement;
//! rounding is the only thing done to it.

use std::time::Duration;

use crate::function::FunctionConfig;
use crate::logs::{EventStatus, Report};
use crate::records::{Invocation, Status};
use crate::sandbox::state::Answer;
use crate::sandbox::{Init, InvocationRequest, Measured, Outcome};

/// Whether a request waited for the sandbox, and what its INIT cost if that went well.
pub(crate) type Cold = (bool, Option<Init>);

/// The record of an invocation that the sandbox `sandbox` served.
pub(crate) fn invocation(
    function: &FunctionConfig,
    request: &InvocationRequest,
    sandbox: &str,
    (cold, init): Cold,
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
        sampled: request.traced.is_some(),
        sandbox: sandbox.to_owned(),
        cold,
        started_unix_us: u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX),
        init_ms,
        duration_ms,
        response_ms: milliseconds(measured.response),
        billed_ms: billed_ms(init_ms.unwrap_or(0.0) + duration_ms),
        memory_mb: function.memory_mb,
        provisioned_concurrency: function.provisioned_concurrency,
        provisioned: false,
        max_memory_mb: measured.peak_memory_mb,
        cpu_ms: measured.cpu.map(milliseconds),
        throttled_ms: measured.throttled.map(milliseconds),
        init_cpu_ms: init.and_then(|init| init.cpu).map(milliseconds),
        status,
        error_type,
    }
}

/// The same for the log and for telemetry.
pub(crate) fn report(
    record: &Invocation,
    request: &InvocationRequest,
    init: Option<Init>,
    measured: &Measured,
) -> Report {
    Report {
        request_id: request.request_id.clone(),
        trace_header: request.trace_header.clone(),
        status: match record.status {
            Status::Success => EventStatus::Success,
            Status::Error => EventStatus::Error,
            Status::Timeout => EventStatus::Timeout,
        },
        error_type: record.error_type.clone(),
        duration: measured.duration,
        billed_ms: record.billed_ms,
        memory_mb: record.memory_mb,
        max_memory_mb: record.max_memory_mb,
        init_duration: init.map(|init| init.duration),
        xray: request.traced.as_ref().map(|traced| traced.report()),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The REPORT line in <https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/>: Duration 250.06 ms,
    /// Init Duration 100.77 ms, Billed Duration 351 ms; 251 ms for the same without a cold start.
    #[test]
    fn a_cold_start_is_billed_with_its_init_and_rounded_up_once() {
        assert_eq!(billed_ms(100.77 + 250.06), 351);
        assert_eq!(billed_ms(250.06), 251);
        assert_eq!(billed_ms(7.0), 7);
    }
}
