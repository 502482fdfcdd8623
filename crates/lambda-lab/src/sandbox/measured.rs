//! What INIT and an invocation cost, as the sandbox measured it.
//!
//! Apart from the sandbox because reports read it and nothing else. Invariant: a number that could not be read is `None`, never
//! zero.

use std::time::{Duration, Instant, SystemTime};

use super::InitFailure;
use super::invocation::Outcome;
use super::state::Answered;
use crate::limits::Usage;

/// What an INIT phase cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Init {
    pub(crate) duration: Duration,
    pub(crate) cpu: Option<Duration>,
}

/// When an INIT was, and whether it failed.
#[derive(Clone, Debug)]
pub(crate) struct InitSpan {
    pub(crate) began: Instant,
    pub(crate) duration: Duration,
    pub(crate) failure: Option<InitFailure>,
}

/// What one invocation cost.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// What the clock said at `begun`.
    pub(crate) started: SystemTime,
    /// When the event was handed out.
    pub(crate) begun: Instant,
    /// The answer, where there was one.
    pub(crate) answered: Option<Answered>,
    /// When the runtime asked for its next event after the answer.
    pub(crate) runtime_done: Option<Instant>,
    /// From handing out the event until the answer was complete, or until there would be none.
    pub(crate) response: Duration,
    pub(crate) duration: Duration,
    pub(crate) cpu: Option<Duration>,
    /// How long runnable threads were held back by the CPU quota.
    pub(crate) throttled: Option<Duration>,
    pub(crate) peak_memory_mb: Option<f64>,
    /// How it ended, which may be worse than what the client was answered: the runtime may fail after its answer.
    pub(crate) outcome: Outcome,
}

/// The difference of a counter between two readings.
pub(super) fn between(
    before: &Usage,
    after: &Usage,
    counter: impl Fn(&Usage) -> Option<Duration>,
) -> Option<Duration> {
    counter(before).zip(counter(after)).map(|(before, after)| after.saturating_sub(before))
}

/// Whether the kernel killed something for want of memory between two readings.
pub(super) fn ran_out_of_memory(before: &Usage, after: &Usage) -> bool {
    after.oom_kills > before.oom_kills
}
