//! One sandbox: a function's runtime and extensions as processes, their Runtime API, and one invocation at a time.
//!
//! Apart from placement, which decides which sandbox serves a request. Lambda's words: *init* from start to the first `next` of
//! all, *duration* from handing out the event until all ask for the next one; the client's answer leaves before that. Invariant: a
//! sandbox that failed, timed out or was ended never serves again.

#[cfg(test)]
mod api_tests;
mod environment;
mod extensions_api;
mod processes;
mod runtime_api;
pub(crate) mod state;
mod usage;

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::function::FunctionConfig;
use environment::SandboxFacts;
use extensions_api::FunctionFacts;
use processes::Processes;
use state::{Answer, Current, Ended, Event, ExtensionEvent, State};

/// Lambda's limit for INIT, <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// Lambda's shutdown budget with external extensions, and the runtime's part of it.
const SHUTDOWN_BUDGET: Duration = Duration::from_secs(2);

/// What INIT cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Init {
    pub(crate) duration: Duration,
    pub(crate) cpu: Option<Duration>,
}

/// How an invocation ended, as the client sees it.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Answered(Answer),
    TimedOut,
    Ended(Ended),
}

/// What one invocation cost.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) started: SystemTime,
    pub(crate) response: Duration,
    pub(crate) duration: Duration,
    pub(crate) cpu: Option<Duration>,
    pub(crate) peak_memory_mb: Option<f64>,
    pub(crate) outcome: Outcome,
    /// Whether the sandbox can serve again.
    pub(crate) reusable: bool,
}

/// A started and initialized sandbox.
pub(crate) struct Sandbox {
    pub(crate) id: String,
    pub(crate) init: Init,
    function: Arc<FunctionConfig>,
    state: Arc<State>,
    processes: Processes,
    api: JoinHandle<()>,
    used: AtomicBool,
}

impl Sandbox {
    /// Starts the function's processes and waits for INIT to end.
    ///
    /// # Errors
    /// What ended or outlasted INIT, in Lambda's words, with who it still waited for.
    pub(crate) async fn start(function: Arc<FunctionConfig>, log: &File) -> Result<Self, Ended> {
        let internal = |error: std::io::Error| Ended {
            error_type: "Runtime.Unknown".to_owned(),
            message: format!("the lab cannot open a Runtime API port: {error}"),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(internal)?;
        let runtime_api = listener.local_addr().map_err(internal)?.to_string();
        let extension_port = free_port().map_err(internal)?;
        let id = Uuid::new_v4().simple().to_string();
        let log_stream = format!("{}/[$LATEST]{id}", jiff::Timestamp::now().strftime("%Y/%m/%d"));
        let launched = function.extensions.iter().map(|extension| extension.name.clone()).collect();
        let state = Arc::new(State::new(launched));
        let api = serve(listener, Arc::clone(&state), &function);
        let facts = SandboxFacts {
            runtime_api: &runtime_api,
            extension_port,
            log_stream: &log_stream,
            task_root: &function.runtime.dir,
        };
        let begun = Instant::now();
        let processes = Processes::spawn(&function, &facts, log, &state).map_err(|error| Ended {
            error_type: "Runtime.InvalidEntrypoint".to_owned(),
            message: error.to_string(),
        });
        let sandbox = processes.map(|processes| Self {
            id,
            init: Init { duration: Duration::ZERO, cpu: None },
            function,
            state,
            processes,
            api,
            used: AtomicBool::new(false),
        });
        sandbox?.initialize(begun).await
    }

    async fn initialize(mut self, begun: Instant) -> Result<Self, Ended> {
        let ready = self.state.wait_for(|inner| match &inner.ended {
            Some(ended) => Some(Err(ended.clone())),
            None => inner.is_ready().then(|| {
                inner.initialized = true;
                Ok(())
            }),
        });
        match tokio::time::timeout(INIT_LIMIT, ready).await {
            Ok(ready) => ready?,
            Err(_) => {
                let missing = self.state.change(|inner| inner.missing()).join(" and ");
                let message = format!("INIT took more than {} s; waited for {missing}", INIT_LIMIT.as_secs());
                return Err(Ended { error_type: "Sandbox.Timedout".to_owned(), message });
            }
        }
        self.init = Init { duration: begun.elapsed(), cpu: usage::cpu_time(self.processes.ids()) };
        Ok(self)
    }

    /// Whether this is the first invocation; true once.
    pub(crate) fn is_first_use(&self) -> bool {
        !self.used.swap(true, Ordering::Relaxed)
    }

    /// Hands `payload` out, sends the outcome to `reply` as soon as it is known, and returns when the sandbox is quiet again.
    pub(crate) async fn invoke(
        &self,
        request: &InvocationRequest,
        reply: oneshot::Sender<Outcome>,
    ) -> Measured {
        let cpu_before = usage::cpu_time(self.processes.ids());
        let started = SystemTime::now();
        let begun = Instant::now();
        self.hand_out(request, started);
        let timeout = tokio::time::sleep_until((begun + self.function.timeout).into());
        tokio::pin!(timeout);
        let outcome = tokio::select! {
            outcome = self.outcome() => outcome,
            () = &mut timeout => Outcome::TimedOut,
        };
        let response = match &outcome {
            Outcome::Answered(_) => self.answered_at().unwrap_or_else(Instant::now).duration_since(begun),
            Outcome::TimedOut | Outcome::Ended(_) => begun.elapsed(),
        };
        // A client that hung up meanwhile does not change the invocation.
        let _ = reply.send(outcome.clone());
        let reusable = match outcome {
            Outcome::Answered(_) => tokio::select! {
                quiet = self.quiet() => quiet,
                () = &mut timeout => false,
            },
            Outcome::TimedOut | Outcome::Ended(_) => false,
        };
        let duration = begun.elapsed();
        let cpu_after = usage::cpu_time(self.processes.ids());
        self.state.change(|inner| inner.current = None);
        Measured {
            started,
            response,
            duration,
            cpu: cpu_before.zip(cpu_after).map(|(before, after)| after.saturating_sub(before)),
            peak_memory_mb: usage::peak_memory_mb(self.processes.ids()),
            outcome,
            reusable,
        }
    }

    fn hand_out(&self, request: &InvocationRequest, now: SystemTime) {
        let event = Arc::new(Event {
            request_id: request.request_id.clone(),
            trace_header: request.trace_header.clone(),
            function_arn: self.function.arn(),
            deadline_unix_ms: unix_ms(now + self.function.timeout),
            payload: request.payload.clone(),
            client_context: request.client_context.clone(),
        });
        self.state.change(|inner| {
            for extension in inner.extensions.iter_mut().filter(|extension| extension.wants_invoke) {
                extension.pending = Some(ExtensionEvent::Invoke(Arc::clone(&event)));
            }
            inner.current = Some(Current { event, answer: None });
        });
    }

    async fn outcome(&self) -> Outcome {
        let found = self.state.wait_for(|inner| {
            let answer = inner.current.as_ref().and_then(|current| current.answer.as_ref());
            match (answer, &inner.ended) {
                (Some((answer, _)), _) => Some(Outcome::Answered(answer.clone())),
                (None, Some(ended)) => Some(Outcome::Ended(ended.clone())),
                (None, None) => None,
            }
        });
        found.await
    }

    fn answered_at(&self) -> Option<Instant> {
        self.state.change(|inner| inner.current.as_ref()?.answer.as_ref().map(|(_, at)| *at))
    }

    async fn quiet(&self) -> bool {
        self.state
            .wait_for(
                |inner| {
                    if inner.ended.is_some() { Some(false) } else { inner.is_quiet().then_some(true) }
                },
            )
            .await
    }

    /// Whether its processes still run and nothing was reported wrong.
    pub(crate) fn is_alive(&self) -> bool {
        self.state.change(|inner| inner.ended.is_none())
    }

    /// Ends the sandbox as Lambda does: SIGKILL alone without extensions, else SIGTERM, SHUTDOWN and a budget before it.
    pub(crate) async fn end(self, reason: &'static str) {
        let told = self.state.change(|inner| {
            let deadline_unix_ms = unix_ms(SystemTime::now() + SHUTDOWN_BUDGET);
            let mut told = false;
            for extension in inner.extensions.iter_mut().filter(|extension| extension.wants_shutdown) {
                extension.pending = Some(ExtensionEvent::Shutdown { reason, deadline_unix_ms });
                told = true;
            }
            told
        });
        if told {
            self.processes.terminate_runtime();
            self.processes.wait_gone(SHUTDOWN_BUDGET).await;
        }
        self.processes.kill();
        if !self.processes.wait_gone(Duration::from_secs(5)).await {
            eprintln!(
                "lambda-lab: sandbox {} of {}: a process outlived SIGKILL for 5 s",
                self.id, self.function.name
            );
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.api.abort();
    }
}

/// One request for a function, as placement passes it on.
#[derive(Clone, Debug)]
pub(crate) struct InvocationRequest {
    pub(crate) request_id: String,
    pub(crate) trace_id: String,
    pub(crate) trace_header: String,
    pub(crate) payload: bytes::Bytes,
    /// One line of JSON about the invoking client.
    pub(crate) client_context: Option<String>,
}

fn serve(listener: TcpListener, state: Arc<State>, function: &FunctionConfig) -> JoinHandle<()> {
    let facts = FunctionFacts { name: function.name.clone(), handler: function.handler.clone() };
    let router = runtime_api::router(Arc::clone(&state)).merge(extensions_api::router(state, facts));
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

/// A free port below the range the system hands to outgoing connections, so that none of those takes it first.
fn free_port() -> std::io::Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    for _ in 0..COUNT {
        let port = FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(std::io::ErrorKind::AddrInUse.into())
}

fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
