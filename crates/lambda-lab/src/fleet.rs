//! Placement: which sandbox of a function serves a request.
//!
//! Apart from the sandbox, which serves what it is given. One sandbox per request in flight; the most recently used idle one
//! first; a new one when none is idle; idle ones end after a while. Invariant: a sandbox is in exactly one place: idle here, or
//! in the task that uses or ends it.

use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};

use crate::function::FunctionConfig;
use crate::journal::{Journal, last_lines};
use crate::logs::start_line;
use crate::report::{self, end_lines};
use crate::sandbox::{Init, InvocationRequest, Measured, Outcome, Sandbox};

/// Lambda's default limit of concurrent executions in an account.
const ACCOUNT_CONCURRENCY: u32 = 1000;

/// How long an idle sandbox is kept; Lambda's own figure is not published, five to seven minutes are usually seen.
const IDLE_LIMIT: Duration = Duration::from_secs(300);

/// How long a request waits for a sandbox that has answered but not yet asked for its next event. Lambda's own way from front to
/// sandbox takes longer than that, so that a client with one request in flight does not meet a second sandbox there.
const FINISHING_WAIT: Duration = Duration::from_millis(50);

/// How many sandboxes of a function may be cold (in INIT or in their first invocation) at once, per processor of this host.
/// Lambda's fleet has room for a thousand. Here more would only slow each other down, take longer than the requests they were
/// started for, and so call for yet more, until nothing is served.
const COLD_PER_PROCESSOR: u32 = 2;

/// What the client of a function gets.
#[derive(Clone, Debug)]
pub(crate) enum Served {
    Outcome(Outcome),
    /// Over the concurrency limit: nothing ran.
    Throttled,
}

struct Idle {
    sandbox: Sandbox,
    since: Instant,
}

#[derive(Default)]
struct Counts {
    idle: Vec<Idle>,
    /// Started and not gone: starting, busy, finishing, idle or ending.
    total: u32,
    /// In INIT or in their first invocation.
    cold: u32,
    /// Answered, not yet quiet.
    finishing: u32,
    /// Sandboxes of an older generation end instead of going idle.
    generation: u64,
}

/// All sandboxes of one function.
pub(crate) struct Fleet {
    pub(crate) function: Arc<FunctionConfig>,
    journal: Arc<Journal>,
    log: File,
    cold_limit: u32,
    counts: Mutex<Counts>,
    changed: Notify,
}

impl Fleet {
    /// A fleet without sandboxes.
    pub(crate) fn new(function: FunctionConfig, journal: Arc<Journal>) -> std::io::Result<Arc<Self>> {
        let log = journal.log(&function.name)?;
        let function = Arc::new(function);
        Ok(Arc::new(Self {
            function,
            journal,
            log,
            cold_limit: cold_limit(),
            counts: Mutex::default(),
            changed: Notify::new(),
        }))
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // A panic under this lock leaves counts behind that are still the best there are.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves `request` with an idle sandbox or a new one. The invocation goes on even if the caller stops waiting.
    pub(crate) async fn invoke(self: &Arc<Self>, request: InvocationRequest) -> Served {
        let (reply, outcome) = oneshot::channel();
        let fleet = Arc::clone(self);
        let (idle, generation) = match self.place().await {
            Placement::Idle(sandbox, generation) => (Some(sandbox), generation),
            Placement::New(generation) => (None, generation),
            Placement::Throttled => return Served::Throttled,
        };
        tokio::spawn(async move { fleet.run(idle, generation, request, reply).await });
        match outcome.await {
            Ok(outcome) => Served::Outcome(outcome),
            Err(_) => Served::Outcome(Outcome::TimedOut),
        }
    }

    /// Waits for a sandbox, or for leave to start one; whichever comes first. Lambda too gives a request that waits for a new
    /// sandbox to an old one that becomes free.
    async fn place(&self) -> Placement {
        let finishing_deadline = tokio::time::Instant::now() + FINISHING_WAIT;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.try_place(tokio::time::Instant::now() < finishing_deadline) {
                Attempt::Placed(placement) => return placement,
                Attempt::SandboxIsFinishing => {
                    let _ = tokio::time::timeout_at(finishing_deadline, changed).await;
                }
                Attempt::TooManyCold => changed.await,
            }
        }
    }

    fn try_place(&self, may_wait_for_finishing: bool) -> Attempt {
        let mut counts = self.counts();
        while let Some(Idle { sandbox, .. }) = counts.idle.pop() {
            if sandbox.is_alive() {
                return Attempt::Placed(Placement::Idle(sandbox, counts.generation));
            }
            // Its processes ended while idle; dropping it kills what is left.
            counts.total -= 1;
        }
        if counts.finishing > 0 && may_wait_for_finishing {
            return Attempt::SandboxIsFinishing;
        }
        if counts.total >= self.function.reserved_concurrency.unwrap_or(ACCOUNT_CONCURRENCY) {
            return Attempt::Placed(Placement::Throttled);
        }
        if counts.cold >= self.cold_limit {
            return Attempt::TooManyCold;
        }
        counts.total += 1;
        counts.cold += 1;
        Attempt::Placed(Placement::New(counts.generation))
    }

    async fn run(
        &self,
        idle: Option<Sandbox>,
        generation: u64,
        request: InvocationRequest,
        reply: oneshot::Sender<Outcome>,
    ) {
        let started = match idle {
            Some(sandbox) => Ok(sandbox),
            None => Sandbox::start(Arc::clone(&self.function), &self.log).await,
        };
        let sandbox = match started {
            Ok(sandbox) => sandbox,
            Err(ended) => {
                let words = format!("{} ({})", ended.message, ended.error_type);
                self.write_log(&format!("RequestId: {} Error: INIT failed: {words}\n", request.request_id));
                let log = self.journal.log_path(&self.function.name);
                eprintln!(
                    "lambda-lab: function {}: INIT failed: {words}; its last output, from {}:{}",
                    self.function.name,
                    log.display(),
                    last_lines(&log, 5),
                );
                let _ = reply.send(Outcome::Ended(ended));
                self.change(|counts| {
                    counts.cold -= 1;
                    counts.total -= 1;
                });
                return;
            }
        };
        let init = sandbox.is_first_use().then_some(sandbox.init);
        self.write_log(&start_line(&request.request_id));
        let (inner_reply, outcome) = oneshot::channel();
        let forward = async {
            if let Ok(outcome) = outcome.await {
                self.change(|counts| counts.finishing += 1);
                let _ = reply.send(outcome);
            }
        };
        let (measured, ()) = tokio::join!(sandbox.invoke(&request, inner_reply), forward);
        self.write_down(&request, &sandbox.id, init, &measured);
        self.put_back(sandbox, generation, init.is_some(), &measured).await;
    }

    async fn put_back(&self, sandbox: Sandbox, generation: u64, was_cold: bool, measured: &Measured) {
        let reason = match measured.outcome {
            Outcome::TimedOut => "timeout",
            Outcome::Ended(_) => "failure",
            Outcome::Answered(_) => "spindown",
        };
        let to_end = self.change(|counts| {
            counts.finishing -= 1;
            counts.cold -= u32::from(was_cold);
            if measured.reusable && counts.generation == generation {
                counts.idle.push(Idle { sandbox, since: Instant::now() });
                return None;
            }
            Some(sandbox)
        });
        if let Some(sandbox) = to_end {
            sandbox.end(reason).await;
            self.change(|counts| counts.total -= 1);
        }
    }

    /// Ends every sandbox: idle ones now, busy ones when they are done. Returns how many ended, once all are gone.
    pub(crate) async fn retire(&self) -> usize {
        let idle = self.change(|counts| {
            counts.generation += 1;
            std::mem::take(&mut counts.idle)
        });
        let before = self.counts().total;
        self.end_all(idle).await;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.counts().total == 0 {
                return before as usize;
            }
            changed.await;
        }
    }

    /// Ends the sandboxes that have been idle for [`IDLE_LIMIT`].
    pub(crate) async fn expire_idle(&self) {
        let expired = self.change(|counts| {
            let (expired, kept): (Vec<_>, Vec<_>) =
                counts.idle.drain(..).partition(|idle| idle.since.elapsed() > IDLE_LIMIT);
            counts.idle = kept;
            expired
        });
        self.end_all(expired).await;
    }

    async fn end_all(&self, sandboxes: Vec<Idle>) {
        let mut endings = tokio::task::JoinSet::new();
        for Idle { sandbox, .. } in sandboxes {
            endings.spawn(sandbox.end("spindown"));
        }
        while endings.join_next().await.is_some() {
            self.change(|counts| counts.total -= 1);
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Counts) -> T) -> T {
        let result = change(&mut self.counts());
        self.changed.notify_waiters();
        result
    }

    fn write_down(
        &self,
        request: &InvocationRequest,
        sandbox: &str,
        init: Option<Init>,
        measured: &Measured,
    ) {
        let invocation = report::invocation(&self.function, request, sandbox, init, measured);
        if let Outcome::Ended(ended) = &measured.outcome {
            let line = format!("RequestId: {} Error: {}\n", request.request_id, ended.message);
            self.write_log(&line);
            eprint!("lambda-lab: function {}: a sandbox died: {line}", self.function.name);
        }
        self.write_log(&end_lines(&invocation));
        if let Err(error) = self.journal.record(&invocation) {
            eprintln!("lambda-lab: cannot write an invocation record: {error}");
        }
    }

    fn write_log(&self, text: &str) {
        use std::io::Write;
        if let Err(error) = (&self.log).write_all(text.as_bytes()) {
            eprintln!("lambda-lab: cannot write the log of {}: {error}", self.function.name);
        }
    }
}

fn cold_limit() -> u32 {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(processors).unwrap_or(u32::MAX).saturating_mul(COLD_PER_PROCESSOR).max(4)
}

enum Attempt {
    Placed(Placement),
    /// A sandbox has answered and will be free in a moment.
    SandboxIsFinishing,
    /// A sandbox that becomes free, warm or cold, changes that.
    TooManyCold,
}

enum Placement {
    Idle(Sandbox, u64),
    New(u64),
    Throttled,
}
