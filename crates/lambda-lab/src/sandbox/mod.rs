//! One sandbox: a cage, and in it a function's runtime and extensions, serving one invocation at a time.
//!
//! Apart from placement, which decides which sandbox serves a request. A sandbox is owned by one task at a time, which alone
//! freezes and thaws it: no event can meet a frozen sandbox. It outlives its processes: what times out or crashes is started anew
//! inside the next invocation, as Lambda does. Invariant: between invocations nothing in it runs.

#[cfg(test)]
mod api_tests;
mod environment;
mod exchange;
mod extensions_api;
mod invocation;
mod life;
mod measured;
mod ports;
mod processes;
mod runtime_api;
pub(crate) mod state;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use uuid::Uuid;

use crate::function::FunctionConfig;
use crate::limits::{Cage, Limits};
use crate::logs::{EventStatus, FunctionLog, Initialization, Phase, PlatformEvent, SandboxFacts, SandboxLog};
use crate::xray::Tracing;
pub(crate) use invocation::{InvocationRequest, Outcome};
pub(crate) use life::InitFailure;
use life::{Home, Life};
pub(crate) use measured::{Init, InitSpan, Measured};

/// Lambda's limit for INIT, <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// The same with provisioned concurrency: this or the function's time-out, whichever is longer.
const PROVISIONED_INIT_LIMIT: Duration = Duration::from_secs(130);

/// What every sandbox of a function needs from outside.
pub(crate) struct Ground {
    pub(crate) function: Arc<FunctionConfig>,
    pub(crate) limits: Limits,
    pub(crate) log: Arc<FunctionLog>,
    /// Whether idle sandboxes are frozen, as on AWS.
    pub(crate) freeze: bool,
    pub(crate) tracing: Tracing,
    /// Where each sandbox gets its temporary folder.
    pub(crate) folder: PathBuf,
}

/// One execution environment.
pub(crate) struct Sandbox {
    home: Home,
    freeze: bool,
    log: Arc<SandboxLog>,
    life: Option<Life>,
    /// What INIT took, until the first REPORT has told it.
    init: Option<Init>,
    /// The INITs since the last invocation, for its trace.
    inits: Vec<InitSpan>,
    initialized_once: bool,
    used: bool,
    /// No longer fit to serve: its memory ran over, or it cannot be frozen or thawed.
    spent: bool,
}

impl Sandbox {
    /// An empty sandbox; its first life begins with [`Sandbox::initialize`] or its first invocation.
    ///
    /// # Errors
    /// The system's words when it cannot be set apart.
    pub(crate) fn create(ground: &Ground, initialization: Initialization) -> std::io::Result<Self> {
        let id = Uuid::new_v4().simple().to_string();
        let home = Home {
            cage: Arc::new(ground.limits.cage(&id, ground.function.memory_mb)?),
            function: Arc::clone(&ground.function),
            initialization,
            extension_port: ports::free()?,
            log_stream: format!("{}/[$LATEST]{id}", jiff::Timestamp::now().strftime("%Y/%m/%d")),
            temporary: TempDir::with_prefix_in("tmp-", &ground.folder)?,
            id,
        };
        Ok(Self {
            log: SandboxLog::new(Arc::clone(&ground.log), facts(&ground.function, &home.id)),
            home,
            freeze: ground.freeze,
            life: None,
            init: None,
            inits: Vec::new(),
            initialized_once: false,
            used: false,
            spent: false,
        })
    }

    /// Whether it was started ahead of any request.
    pub(crate) fn is_provisioned(&self) -> bool {
        self.home.initialization == Initialization::ProvisionedConcurrency
    }

    /// The last 4 KB of the last invocation's log.
    pub(crate) fn log_tail(&self) -> Vec<u8> {
        self.log.tail()
    }

    /// Whether it can serve another invocation.
    pub(crate) fn is_reusable(&self) -> bool {
        !self.spent
    }

    /// The INIT phase: everything starts at full speed, on demand, and has ten seconds. A failure is not the end: Lambda tries
    /// again inside the first invocation.
    ///
    /// # Errors
    /// Why INIT failed.
    pub(crate) async fn initialize(&mut self) -> Result<(), InitFailure> {
        self.initialized_once = true;
        let limit = if self.is_provisioned() {
            PROVISIONED_INIT_LIMIT.max(self.home.function.timeout)
        } else {
            // Lambda's boost: no quota before the first invocation, but none where INIT was paid for ahead.
            self.enforce("its CPU quota lifted", Cage::full_speed);
            INIT_LIMIT
        };
        if self.is_provisioned() {
            self.enforce("its CPU quota set", Cage::throttle);
        }
        self.start_life(Phase::Init, limit).await
    }

    /// Starts a new life and waits for its INIT; the former life has ended.
    async fn start_life(&mut self, phase: Phase, limit: Duration) -> Result<(), InitFailure> {
        let initialization = self.home.initialization;
        let before = self.home.cage.usage();
        self.log.emit(PlatformEvent::InitStart { initialization, phase });
        let (result, began, duration) = match Life::create(&self.home, Arc::clone(&self.log)).await {
            Ok((life, runtime_api)) => self.try_life(life, &runtime_api, limit).await,
            Err(ended) => (Err(InitFailure::Ended(ended)), None, Duration::ZERO),
        };
        let after = self.home.cage.usage();
        let result = result.map_err(|failure| self.told_apart(failure, &before, &after));
        if let Err(failure) = &result {
            eprintln!("lambda-lab: function {}: INIT failed: {failure}", self.home.function.name);
        }
        let failure = result.as_ref().err().cloned();
        self.inits.extend(began.map(|began| InitSpan { began, duration, failure }));
        self.log.drain();
        self.report_init(phase, &result, duration);
        if result.is_ok() && phase == Phase::Init {
            let cpu = before.cpu.zip(after.cpu).map(|(before, after)| after.saturating_sub(before));
            self.init = Some(Init { duration, cpu });
        }
        result
    }

    /// Runs INIT of `life` and keeps it if that goes well; tells when INIT began, if it did, and how long it took.
    async fn try_life(
        &mut self,
        mut life: Life,
        runtime_api: &str,
        limit: Duration,
    ) -> (Result<(), InitFailure>, Option<Instant>, Duration) {
        let result = life.initialize(&self.home, runtime_api, limit).await;
        let end = result.as_ref().map_or_else(|_| Instant::now(), |ready| *ready);
        let began = life.began();
        let duration = began.map_or(Duration::ZERO, |began| end - began);
        match &result {
            Ok(_) => self.life = Some(life),
            Err(_) => life.kill(&self.home.id).await,
        }
        (result.map(drop), began, duration)
    }

    fn report_init(&self, phase: Phase, result: &Result<(), InitFailure>, duration: Duration) {
        let initialization = self.home.initialization;
        let (status, error_type) = match result {
            Ok(()) => (EventStatus::Success, None),
            Err(InitFailure::TimedOut { .. }) => (EventStatus::Timeout, None),
            Err(InitFailure::Ended(ended)) => (EventStatus::Error, Some(ended.error_type.clone())),
        };
        let error = error_type.clone();
        self.log.emit(PlatformEvent::InitRuntimeDone { initialization, phase, status, error_type: error });
        self.log.emit(PlatformEvent::InitReport { initialization, phase, status, error_type, duration });
    }

    /// Freezes it, or ends the trouble if that cannot be done.
    pub(crate) fn put_to_sleep(&mut self) {
        if self.freeze && self.life.is_some() {
            self.log.frozen();
            self.enforce("frozen", Cage::freeze);
        }
    }

    /// Wakes it at the speed its memory size pays for. The quota is set before anything in it runs.
    fn wake(&mut self) {
        self.enforce("its CPU quota set", Cage::throttle);
        if self.freeze {
            self.enforce("thawed", Cage::thaw);
            self.log.thawed();
        }
    }

    fn enforce(&mut self, what: &str, act: impl Fn(&Cage) -> std::io::Result<()>) {
        if let Err(error) = act(&self.home.cage) {
            eprintln!("lambda-lab: sandbox {} cannot have {what}: {error}; it is replaced", self.home.id);
            self.spent = true;
        }
    }

    /// Ends its processes as Lambda does; the sandbox stays.
    async fn reset(&mut self, reason: &'static str) {
        if let Some(life) = self.life.take() {
            life.end(&self.home.id, reason).await;
        }
        // Nothing that left its process group may live on in the next life.
        self.home.cage.kill();
    }

    /// Ends it for good: `spindown`, `timeout` or `failure` is what its extensions are told.
    pub(crate) async fn end(mut self, reason: &'static str) {
        self.wake();
        self.reset(reason).await;
    }
}

fn facts(function: &FunctionConfig, id: &str) -> SandboxFacts {
    SandboxFacts::new(&function.name, id, function.memory_mb, &function.region)
}

fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
