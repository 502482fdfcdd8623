//! All sandboxes of one function: an invocation from placement to record, provisioning, and their end.
//!
//! Apart from the sandbox, which serves what it is given, and from [`placement`], which chooses. Invariant: every sandbox that was
//! started is idle, in use by one task, or gone, and the counts say which.

pub(crate) mod account;
mod admission;
mod placement;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;

use crate::function::FunctionConfig;
use crate::journal::Journal;
use crate::logs::Initialization;
use crate::sandbox::state::Ended;
use crate::sandbox::{Ground, InitFailure, InvocationRequest, Outcome, Sandbox};
use crate::xray::Trace;
use account::Account;
use admission::Gate;
use placement::{Counts, Idle, Placement, Ticket};

/// How long an idle sandbox is kept; Lambda's own figure is not published, five to seven minutes are usually seen.
const IDLE_LIMIT: Duration = Duration::from_secs(300);

/// What the client of a function gets.
#[derive(Clone, Debug)]
pub(crate) enum Served {
    Outcome(Outcome),
    /// Nothing ran.
    Throttled(ThrottleReason),
}

/// Which limit a request was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThrottleReason {
    /// The function's reserved concurrency.
    Reserved,
    /// The account's concurrent executions.
    Account,
    /// New sandboxes in ten seconds.
    ScalingRate,
}

impl ThrottleReason {
    /// Lambda's name for it, <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors>.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Reserved => "ReservedFunctionConcurrentInvocationLimitExceeded",
            Self::Account => "ConcurrentInvocationLimitExceeded",
            Self::ScalingRate => "FunctionInvocationRateLimitExceeded",
        }
    }
}

/// What the client of one invocation waits for.
struct Waiting {
    outcome: oneshot::Sender<Outcome>,
    /// The end of the invocation's log, once REPORT is in it.
    log: Option<oneshot::Sender<Vec<u8>>>,
}

/// All sandboxes of one function.
pub(crate) struct Fleet {
    pub(crate) function: Arc<FunctionConfig>,
    ground: Ground,
    journal: Arc<Journal>,
    account: Arc<Account>,
    counts: Mutex<Counts>,
    changed: Notify,
}

impl Fleet {
    /// A fleet without sandboxes; at most `scaling_rate` new ones in ten seconds, where that is set.
    pub(crate) fn new(
        ground: Ground,
        journal: Arc<Journal>,
        account: Arc<Account>,
        scaling_rate: Option<u32>,
    ) -> Arc<Self> {
        Arc::new(Self {
            function: Arc::clone(&ground.function),
            ground,
            journal,
            account,
            counts: Mutex::new(Counts::new(Gate::new(scaling_rate))),
            changed: Notify::new(),
        })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // A panic under this lock leaves counts behind that are still the best there are.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Counts) -> T) -> T {
        let result = change(&mut self.counts());
        self.changed.notify_waiters();
        result
    }

    /// Begins the trace of a request that came with this header.
    pub(crate) fn trace(&self, header: Option<&str>) -> Trace {
        self.ground.tracing.begin(header)
    }

    /// Serves `request` with an idle sandbox or a new one. The invocation goes on even if the caller stops waiting.
    pub(crate) async fn invoke(self: &Arc<Self>, request: InvocationRequest) -> Served {
        self.begin(request, None).await
    }

    /// The same, with the last 4 KB of the invocation's log; returns when its REPORT is written.
    pub(crate) async fn invoke_with_log(self: &Arc<Self>, request: InvocationRequest) -> (Served, Vec<u8>) {
        let (log, end_of_log) = oneshot::channel();
        let served = self.begin(request, Some(log)).await;
        (served, end_of_log.await.unwrap_or_default())
    }

    async fn begin(
        self: &Arc<Self>,
        request: InvocationRequest,
        log: Option<oneshot::Sender<Vec<u8>>>,
    ) -> Served {
        let (sandbox, ticket) = match self.place().await {
            Placement::Idle(sandbox, ticket) => (Some(sandbox), ticket),
            Placement::New(ticket) => (None, ticket),
            Placement::Throttled(reason) => {
                if let Some(traced) = &request.traced {
                    traced.unserved(&request.request_id, 429);
                }
                return Served::Throttled(reason);
            }
        };
        let (reply, outcome) = oneshot::channel();
        let fleet = Arc::clone(self);
        let waiting = Waiting { outcome: reply, log };
        tokio::spawn(async move { fleet.run(sandbox, ticket, request, waiting).await });
        let lost = || Outcome::Ended(Ended::new("Runtime.Unknown", "the lab lost the invocation".to_owned()));
        Served::Outcome(outcome.await.unwrap_or_else(|_| lost()))
    }

    async fn run(
        &self,
        idle: Option<Box<Sandbox>>,
        ticket: Ticket,
        request: InvocationRequest,
        waiting: Waiting,
    ) {
        let was_cold = idle.is_none();
        let mut sandbox = match idle.map_or_else(|| self.create(Initialization::OnDemand), Ok) {
            Ok(sandbox) => sandbox,
            Err(ended) => {
                if let Some(traced) = &request.traced {
                    traced.unserved(&request.request_id, 500);
                }
                let _ = waiting.outcome.send(Outcome::Ended(ended));
                return self.change(|counts| {
                    counts.cold -= 1;
                    counts.total -= 1;
                });
            }
        };
        let (reply, outcome) = oneshot::channel();
        let forward = async {
            if let Ok(outcome) = outcome.await {
                self.change(|counts| counts.finishing += 1);
                let _ = waiting.outcome.send(outcome);
            }
        };
        let (invocation, ()) = tokio::join!(sandbox.serve(&request, reply), forward);
        if let Err(error) = self.journal.record(&invocation) {
            eprintln!("lambda-lab: an invocation record is no JSON: {error}");
        }
        if let Some(log) = waiting.log {
            let _ = log.send(sandbox.log_tail());
        }
        self.put_back(sandbox, &ticket, was_cold).await;
    }

    fn create(&self, initialization: Initialization) -> Result<Box<Sandbox>, Ended> {
        Sandbox::create(&self.ground, initialization).map(Box::new).map_err(|error| {
            let message = format!("the lab cannot make a sandbox: {error}");
            eprintln!("lambda-lab: function {}: {message}", self.function.name);
            Ended::new("Runtime.Unknown", message)
        })
    }

    async fn put_back(&self, sandbox: Box<Sandbox>, ticket: &Ticket, was_cold: bool) {
        let to_end = self.change(|counts| {
            counts.finishing -= 1;
            counts.cold -= u32::from(was_cold);
            if sandbox.is_reusable() && counts.generation == ticket.generation {
                counts.idle.push(Idle { sandbox, since: Instant::now() });
                return None;
            }
            Some(sandbox)
        });
        if let Some(sandbox) = to_end {
            sandbox.end("spindown").await;
            self.change(|counts| counts.total -= 1);
        }
    }

    /// Starts the function's provisioned sandboxes, those that there are not yet, and returns when all are initialized.
    ///
    /// # Errors
    /// The first INIT that failed; the others stay.
    pub(crate) async fn provision(self: &Arc<Self>) -> Result<(), InitFailure> {
        let mut starting = JoinSet::new();
        for _ in 0..self.function.provisioned_concurrency {
            let fleet = Arc::clone(self);
            starting.spawn(async move { fleet.provision_one().await });
        }
        let mut result = Ok(());
        while let Some(one) = starting.join_next().await {
            result = result.and(one.unwrap_or(Ok(())));
        }
        result
    }

    async fn provision_one(&self) -> Result<(), InitFailure> {
        let generation = self.change(|counts| {
            counts.total += 1;
            counts.generation
        });
        let result = match self.create(Initialization::ProvisionedConcurrency) {
            Ok(mut sandbox) => match sandbox.initialize().await {
                Ok(()) => {
                    sandbox.put_to_sleep();
                    Ok(sandbox)
                }
                Err(failure) => Err(failure),
            },
            Err(ended) => Err(InitFailure::Ended(ended)),
        };
        self.change(|counts| match result {
            Ok(sandbox) if counts.generation == generation => {
                counts.idle.push(Idle { sandbox, since: Instant::now() });
                Ok(())
            }
            Ok(_) => {
                counts.total -= 1;
                Ok(())
            }
            Err(failure) => {
                counts.total -= 1;
                Err(failure)
            }
        })
    }

    /// Ends every sandbox: idle ones now, busy ones when they are done. Returns how many ended, once all are gone.
    pub(crate) async fn retire(&self) -> usize {
        let (idle, before) = self.change(|counts| {
            counts.generation += 1;
            (std::mem::take(&mut counts.idle), counts.total)
        });
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

    /// Ends the sandboxes on demand that have been idle for [`IDLE_LIMIT`].
    pub(crate) async fn expire_idle(&self) {
        let expired = self.change(|counts| {
            let is_expired =
                |idle: &Idle| !idle.sandbox.is_provisioned() && idle.since.elapsed() > IDLE_LIMIT;
            let (expired, kept): (Vec<_>, Vec<_>) = counts.idle.drain(..).partition(is_expired);
            counts.idle = kept;
            expired
        });
        self.end_all(expired).await;
    }

    async fn end_all(&self, sandboxes: Vec<Idle>) {
        let mut endings = JoinSet::new();
        for Idle { sandbox, .. } in sandboxes {
            endings.spawn(sandbox.end("spindown"));
        }
        while endings.join_next().await.is_some() {
            self.change(|counts| counts.total -= 1);
        }
    }
}
