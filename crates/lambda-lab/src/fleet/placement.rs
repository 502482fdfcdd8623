//! Placement: which sandbox of a function serves a request.
//!
//! Apart from the fleet, which runs the invocation. One sandbox per request in flight; a provisioned one first, then the most
//! recently used; a new one when none is idle. Invariant: a sandbox is in exactly one place: idle here, or in the task that uses
//! or ends it.

use std::time::{Duration, Instant};

use super::account::Execution;
use super::admission::{Gate, LOOK_AGAIN, Leave, host_idle};
use super::{Fleet, ThrottleReason};
use crate::sandbox::Sandbox;

/// How long a request waits for a sandbox that has answered but not yet asked for its next event. Lambda's own way from front to
/// sandbox takes longer than that, so that a client with one request in flight does not meet a second sandbox there.
const FINISHING_WAIT: Duration = Duration::from_millis(50);

/// The same while another sandbox is idle: the more recently used one is preferred, but not at the price of a wait.
const FINISHING_PREFERENCE: Duration = Duration::from_millis(2);

pub(super) struct Idle {
    pub(super) sandbox: Box<Sandbox>,
    pub(super) since: Instant,
}

/// Where the sandboxes of a function are.
pub(super) struct Counts {
    /// The last is the most recently used.
    pub(super) idle: Vec<Idle>,
    /// Started and not gone: starting, busy, finishing, idle or ending.
    pub(super) total: u32,
    /// In INIT or in their first invocation.
    pub(super) cold: u32,
    /// Answered, not yet quiet.
    pub(super) finishing: u32,
    /// Sandboxes of an older generation end instead of going idle.
    pub(super) generation: u64,
    gate: Gate,
}

/// Leave to serve a request.
pub(super) enum Placement {
    Idle(Box<Sandbox>, Ticket),
    New(Ticket),
    Throttled(ThrottleReason),
}

/// What a running invocation holds.
pub(super) struct Ticket {
    pub(super) generation: u64,
    /// Held until the sandbox is idle or gone.
    _execution: Execution,
}

enum Attempt {
    Placed(Placement),
    /// A sandbox has answered and will be free in a moment.
    SandboxIsFinishing {
        wait: Duration,
    },
    /// A sandbox that becomes free, warm or cold, changes that; or the host does.
    HostIsBusy,
}

impl Counts {
    pub(super) fn new(gate: Gate) -> Self {
        Self { idle: Vec::new(), total: 0, cold: 0, finishing: 0, generation: 0, gate }
    }

    /// Provisioned sandboxes serve before those on demand, <https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html>.
    fn take_idle(&mut self) -> Option<Box<Sandbox>> {
        let provisioned = self.idle.iter().rposition(|idle| idle.sandbox.is_provisioned());
        let place = provisioned.or_else(|| self.idle.len().checked_sub(1))?;
        Some(self.idle.remove(place).sandbox)
    }
}

impl Fleet {
    /// Waits for a sandbox, or for leave to start one; whichever comes first. Lambda too gives a request that waits for a new
    /// sandbox to an old one that becomes free.
    pub(super) async fn place(&self) -> Placement {
        let asked = Instant::now();
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let wait = match self.try_place(asked.elapsed()) {
                Attempt::Placed(placement) => return placement,
                Attempt::SandboxIsFinishing { wait } => wait,
                Attempt::HostIsBusy => LOOK_AGAIN,
            };
            let _ = tokio::time::timeout(wait, changed).await;
        }
    }

    fn try_place(&self, waited: Duration) -> Attempt {
        let throttled = |reason| Attempt::Placed(Placement::Throttled(reason));
        let mut counts = self.counts();
        let running = counts.total - u32::try_from(counts.idle.len()).unwrap_or(0);
        let reserved = self.function.reserved_concurrency;
        let patience = if counts.idle.is_empty() { FINISHING_WAIT } else { FINISHING_PREFERENCE };
        if counts.finishing > 0 && waited < patience {
            return Attempt::SandboxIsFinishing { wait: patience - waited };
        }
        if reserved.is_some_and(|reserved| running >= reserved) {
            return throttled(ThrottleReason::Reserved);
        }
        let execution =
            if reserved.is_some() { Some(Execution::reserved()) } else { self.account.execution() };
        let Some(execution) = execution else { return throttled(ThrottleReason::Account) };
        let ticket = Ticket { generation: counts.generation, _execution: execution };
        if let Some(sandbox) = counts.take_idle() {
            return Attempt::Placed(Placement::Idle(sandbox, ticket));
        }
        let cold = counts.cold;
        match counts.gate.ask(cold, Instant::now(), host_idle) {
            Leave::Granted => {}
            Leave::OverRate => return throttled(ThrottleReason::ScalingRate),
            Leave::HostIsBusy => return Attempt::HostIsBusy,
        }
        counts.total += 1;
        counts.cold += 1;
        Attempt::Placed(Placement::New(ticket))
    }
}
