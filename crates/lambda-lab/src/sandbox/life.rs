//! One life of a sandbox: its processes from one start to one end, and the API port they speak to.
//!
//! Apart from the sandbox, which outlives it: after a time-out or a crash Lambda keeps the sandbox and starts everything in it
//! anew. Lambda's words: *init* lasts from the first process's start until all have asked for their first event. Invariant: a
//! life that has ended never serves again.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::environment::{self, SandboxFacts};
use super::extensions_api::{self, FunctionFacts};
use super::processes::Processes;
use super::state::{Ended, Extension, ExtensionEvent, Inner, State};
use super::{runtime_api, unix_ms};
use crate::function::FunctionConfig;
use crate::limits::Cage;
use crate::logs::{Initialization, PlatformEvent, SandboxLog};

/// Lambda's shutdown budget with an external extension, with internal ones alone, and the runtime's share of it; from the docs,
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>, and its open-source interface emulator.
const BUDGET_EXTERNAL: Duration = Duration::from_millis(2000);
const BUDGET_INTERNAL: Duration = Duration::from_millis(500);
const RUNTIME_SHARE: f64 = 0.3;

/// How long a thawed sandbox is given before its first signal: more than one period of its quota. The kernel gives a signal for a
/// process to any of its threads that is awake, and a runtime whose main thread is not (Python's) would not hear of it.
const WAKE_UP: Duration = Duration::from_millis(25);

/// How long a killed process may take to be gone before the lab says so.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// What stays the same from one life of a sandbox to the next.
pub(super) struct Home {
    pub(super) id: String,
    pub(super) function: Arc<FunctionConfig>,
    pub(super) cage: Arc<Cage>,
    pub(super) initialization: Initialization,
    pub(super) extension_port: u16,
    pub(super) log_stream: String,
    /// Its `/tmp`, which a runtime that is started anew finds as it was left; removed with the sandbox.
    pub(super) temporary: TempDir,
}

/// Why INIT did not end well.
#[derive(Clone, Debug)]
pub(crate) enum InitFailure {
    /// It outlasted its limit; who it still waited for.
    TimedOut { waited_for: String },
    /// Something in it ended or gave up.
    Ended(Ended),
}

impl fmt::Display for InitFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut { waited_for } => {
                write!(formatter, "it outlasted its limit; waited for {waited_for}")
            }
            Self::Ended(ended) => write!(formatter, "{} ({})", ended.message, ended.error_type),
        }
    }
}

/// A sandbox's running processes.
pub(super) struct Life {
    pub(super) state: Arc<State>,
    pub(super) log: Arc<SandboxLog>,
    processes: Processes,
    /// When the first program ran: entering the cage is the lab's time, not the function's.
    began: Option<Instant>,
    api: JoinHandle<()>,
}

impl Life {
    /// An API port and no process yet.
    pub(super) async fn create(home: &Home, log: Arc<SandboxLog>) -> Result<(Self, String), Ended> {
        let cannot = |error: std::io::Error| {
            Ended::new("Runtime.Unknown", format!("the lab cannot open a Runtime API port: {error}"))
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(cannot)?;
        let runtime_api = listener.local_addr().map_err(cannot)?.to_string();
        let launched = home.function.extensions.iter().map(|extension| extension.name.clone()).collect();
        let state = Arc::new(State::new(launched));
        let api = serve(listener, &state, &log, &home.function);
        let processes = Processes::new(Arc::clone(&home.cage), Arc::clone(&state));
        Ok((Self { state, log, processes, began: None, api }, runtime_api))
    }

    /// Starts the extensions, then the runtime, and waits until all have asked for their first event; `limit` counts from the
    /// first program's start. Returns when the last of them asked.
    ///
    /// # Errors
    /// What ended or outlasted INIT, in Lambda's words.
    pub(super) async fn initialize(
        &mut self,
        home: &Home,
        runtime_api: &str,
        limit: Duration,
    ) -> Result<Instant, InitFailure> {
        let facts = SandboxFacts {
            runtime_api,
            extension_port: home.extension_port,
            log_stream: &home.log_stream,
            task_root: &home.function.runtime.dir,
            temporary: home.temporary.path(),
            initialization: home.initialization,
        };
        let variables = environment::runtime(&home.function, &facts);
        self.start_first(home, &variables).map_err(InitFailure::Ended)?;
        let deadline = self.began.unwrap_or_else(Instant::now) + limit;
        let initialized = tokio::time::timeout_at(deadline.into(), self.start_rest(home, &variables)).await;
        let Ok(ready) = initialized else {
            let waited_for = self.state.look(Inner::missing).join(" and ");
            return Err(InitFailure::TimedOut { waited_for });
        };
        let ready = ready.map_err(InitFailure::Ended)?;
        self.log.init_over();
        self.announce_extensions();
        Ok(ready)
    }

    /// The extensions; where there are none, the runtime.
    fn start_first(&mut self, home: &Home, variables: &BTreeMap<String, String>) -> Result<(), Ended> {
        let own = environment::extension(variables);
        for extension in &home.function.extensions {
            let started = self.processes.start_extension(extension, &own, &self.log);
            started.map_err(|error| Ended::new("Extension.LaunchError", error.to_string()))?;
            self.began.get_or_insert_with(Instant::now);
        }
        if self.began.is_some() { Ok(()) } else { self.start_runtime(home, variables) }
    }

    fn start_runtime(&mut self, home: &Home, variables: &BTreeMap<String, String>) -> Result<(), Ended> {
        let started = self.processes.start_runtime(&home.function.runtime, variables, &self.log);
        started.map_err(|error| Ended::new("Runtime.InvalidEntrypoint", error.to_string()))?;
        self.began.get_or_insert_with(Instant::now);
        Ok(())
    }

    async fn start_rest(
        &mut self,
        home: &Home,
        variables: &BTreeMap<String, String>,
    ) -> Result<Instant, Ended> {
        if !home.function.extensions.is_empty() {
            self.unless_ended(|inner| inner.has_extensions().then_some(())).await?;
            self.start_runtime(home, variables)?;
        }
        self.unless_ended(|inner| {
            let ready = inner.ready_since();
            inner.initialized |= ready.is_some();
            ready
        })
        .await
    }

    /// Waits for what `poll` looks for, or for the end of the life.
    pub(super) async fn unless_ended<T>(
        &self,
        mut poll: impl FnMut(&mut Inner) -> Option<T>,
    ) -> Result<T, Ended> {
        let found = self.state.wait_for(|inner| match &inner.ended {
            Some(ended) => Some(Err(ended.clone())),
            None => poll(inner).map(Ok),
        });
        found.await
    }

    fn announce_extensions(&self) {
        let extensions = self.state.look(|inner| {
            let event = |extension: &Extension| PlatformEvent::Extension {
                name: extension.name.clone(),
                state: "Ready",
                events: extension.events(),
                error_type: None,
            };
            inner.extensions.iter().map(event).collect::<Vec<_>>()
        });
        for extension in extensions {
            self.log.emit(extension);
        }
    }

    /// When its first program ran.
    pub(super) fn began(&self) -> Option<Instant> {
        self.began
    }

    /// Whether its processes still run and nothing was reported wrong.
    pub(super) fn is_alive(&self) -> bool {
        self.state.look(|inner| inner.ended.is_none()) && self.processes.all_run()
    }

    /// Ends it as Lambda does: SIGKILL alone where no extension is registered, else SIGTERM to the runtime, SHUTDOWN to the
    /// extensions, and a budget before it. The cage must be thawed.
    pub(super) async fn end(self, id: &str, reason: &'static str) {
        let budget = self.state.look(|inner| match &inner.extensions {
            extensions if extensions.iter().any(|extension| inner.is_external(extension)) => BUDGET_EXTERNAL,
            extensions if extensions.is_empty() => Duration::ZERO,
            _ => BUDGET_INTERNAL,
        });
        if !budget.is_zero() {
            tokio::time::sleep(WAKE_UP).await;
            let deadline = Instant::now() + budget;
            self.processes.terminate_runtime();
            let runtime_limit =
                if budget == BUDGET_EXTERNAL { budget.mul_f64(RUNTIME_SHARE) } else { budget };
            self.processes.wait_runtime_gone(runtime_limit).await;
            self.processes.kill_runtime();
            if self.tell_shutdown(reason, deadline) {
                let left = deadline.saturating_duration_since(Instant::now());
                // What the log still holds for a subscriber is delivered while there is one.
                tokio::select! {
                    _ = self.processes.wait_gone(left) => {}
                    () = async { self.log.flush(left).await; std::future::pending().await } => {}
                }
            }
        }
        self.kill(id).await;
    }

    /// Kills it at once and waits until it is gone.
    pub(super) async fn kill(self, id: &str) {
        self.processes.kill();
        if !self.processes.wait_gone(KILL_LIMIT).await {
            eprintln!("lambda-lab: sandbox {id}: a process outlived SIGKILL for {} s", KILL_LIMIT.as_secs());
        }
        self.log.drain();
    }

    /// Sends SHUTDOWN to every extension that asked for it; says whether one did.
    fn tell_shutdown(&self, reason: &'static str, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let deadline_unix_ms = unix_ms(SystemTime::now() + left);
        self.state.change(|inner| {
            let mut told = false;
            for extension in inner.extensions.iter_mut().filter(|extension| extension.wants_shutdown) {
                extension.pending = Some(ExtensionEvent::Shutdown { reason, deadline_unix_ms });
                told = true;
            }
            told
        })
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.api.abort();
    }
}

fn serve(
    listener: TcpListener,
    state: &Arc<State>,
    log: &Arc<SandboxLog>,
    function: &FunctionConfig,
) -> JoinHandle<()> {
    let facts = FunctionFacts { name: function.name.clone(), handler: function.handler.clone() };
    let known = {
        let state = Arc::clone(state);
        move |id: Uuid| {
            state.look(|inner| {
                let found = inner.extensions.iter().find(|extension| extension.id == id);
                found.map(|extension| extension.name.clone())
            })
        }
    };
    let router = runtime_api::router(Arc::clone(state))
        .merge(extensions_api::router(Arc::clone(state), facts))
        .merge(log.telemetry_router(known));
    tokio::spawn(async move {
        use axum::serve::ListenerExt;
        // Without TCP_NODELAY a delayed acknowledgement may add 40 ms to an event.
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        if let Err(error) = axum::serve(listener, router).await {
            eprintln!("lambda-lab: a Runtime API port failed: {error}");
        }
    })
}
