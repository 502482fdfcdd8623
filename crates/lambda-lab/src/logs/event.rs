//! What the platform says about a sandbox, as values: one [`PlatformEvent`] for each thing Lambda logs or sends as telemetry.
//!
//! Apart from its renderings (text, JSON, telemetry), so that all three say the same. The names and fields are those of the Telemetry
//! API's event schema, <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html>. Invariant: an event holds
//! only what was measured or decided; nothing here formats.

use std::time::Duration;

/// Why a sandbox was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Initialization {
    OnDemand,
    ProvisionedConcurrency,
}

impl Initialization {
    /// As `initializationType` and `AWS_LAMBDA_INITIALIZATION_TYPE` spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::ProvisionedConcurrency => "provisioned-concurrency",
        }
    }
}

/// Whether INIT ran on its own, or (after a failed one) within an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Init,
    Invoke,
}

impl Phase {
    /// As events and `INIT_REPORT` spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Invoke => "invoke",
        }
    }
}

/// How a phase ended. `Error` is the function's own, `Failure` is the platform's word for a sandbox that broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventStatus {
    Success,
    Error,
    Failure,
    Timeout,
}

impl EventStatus {
    /// As events, `REPORT` and `INIT_REPORT` spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Failure => "failure",
            Self::Timeout => "timeout",
        }
    }
}

/// One thing the platform says.
#[derive(Clone, Debug)]
pub(crate) enum PlatformEvent {
    /// INIT begins.
    InitStart { initialization: Initialization, phase: Phase },
    /// The runtime's part of INIT is over: its first `next`, its end, or the limit.
    InitRuntimeDone {
        initialization: Initialization,
        phase: Phase,
        status: EventStatus,
        error_type: Option<String>,
    },
    /// INIT is over. Its text line exists only where it failed or where the concurrency is provisioned.
    InitReport {
        initialization: Initialization,
        phase: Phase,
        status: EventStatus,
        error_type: Option<String>,
        duration: Duration,
    },
    /// An event is handed out. `trace_header` is empty where there is none.
    Start { request_id: String, trace_header: String },
    /// The runtime is done with it. `duration` is from its release to its next call.
    RuntimeDone {
        request_id: String,
        trace_header: String,
        status: EventStatus,
        error_type: Option<String>,
        duration: Duration,
        /// From the release to the response's first byte.
        response_latency: Option<Duration>,
        /// From the response's first byte to its last.
        response_duration: Option<Duration>,
        produced_bytes: Option<usize>,
    },
    /// What went wrong, for the log alone; telemetry tells it by `error_type`. Lambda's message goes on in a second line that is the
    /// error type alone, `Runtime exited with error: exit status 1\nRuntime.ExitError`.
    Fault { request_id: Option<String>, message: String },
    /// The invocation is over, extensions included.
    Report(Box<Report>),
    /// An extension registered or failed.
    Extension { name: String, state: &'static str, events: Vec<String>, error_type: Option<String> },
    /// An extension asked for telemetry.
    TelemetrySubscription { name: String, state: &'static str, types: Vec<&'static str> },
}

/// What one invocation cost, as its REPORT line tells it.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) request_id: String,
    /// Empty where there is none.
    pub(crate) trace_header: String,
    pub(crate) status: EventStatus,
    pub(crate) error_type: Option<String>,
    /// From handing the event out until the runtime and its extensions asked for the next one.
    pub(crate) duration: Duration,
    pub(crate) billed_ms: u64,
    pub(crate) memory_mb: u32,
    /// None where the system does not tell; it is then reported as 0.
    pub(crate) max_memory_mb: Option<f64>,
    /// On the first invocation of a sandbox that was initialized on demand.
    pub(crate) init_duration: Option<Duration>,
    /// The trace id and the id of the function's segment, where segments are recorded.
    pub(crate) xray: Option<(String, String)>,
}

impl Report {
    /// Peak memory in whole megabytes, rounded up as a REPORT line has it.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(crate) fn max_memory_whole_mb(&self) -> u64 {
        // The cast saturates, and no machine has 2^53 MB.
        self.max_memory_mb.unwrap_or(0.0).ceil() as u64
    }
}

/// A duration as all of Lambda's metrics are told.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
