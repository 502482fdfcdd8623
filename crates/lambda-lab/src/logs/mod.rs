//! All that a sandbox says, at one point: what its processes print and what the platform tells, as log lines and as telemetry.
//!
//! Apart from the sandbox's protocol, which only says what happened. Output comes through pipes, so that it can be told from whom
//! it came, cut into lines, put in order with START and END, and given to subscribers. Invariant: the log and the telemetry of a
//! sandbox have the same order.

mod event;
mod function_log;
mod level;
mod lines;
mod pipe;
mod tail;
mod telemetry;
mod text;

use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;

pub(crate) use event::{EventStatus, Initialization, Phase, PlatformEvent, Report};
pub use function_log::LogFormat;
pub(crate) use function_log::{FunctionLog, LogSettings, Sink};
pub use level::{ApplicationLevel, SystemLevel};

use pipe::Pipe;
use tail::Tail;

/// What events tell about their sandbox.
#[derive(Clone, Debug)]
pub(crate) struct SandboxFacts {
    pub(crate) function_name: String,
    pub(crate) function_version: String,
    /// The sandbox's id.
    pub(crate) instance_id: String,
    pub(crate) memory_mb: u32,
    /// Such as `provided:al2023.v90`.
    pub(crate) runtime_version: String,
    pub(crate) runtime_version_arn: String,
}

impl SandboxFacts {
    /// The facts of sandbox `instance_id` of a function. The runtime version is this lab's and says so; its ARN has the form of
    /// AWS's and names no runtime of theirs.
    pub(crate) fn new(function_name: &str, instance_id: &str, memory_mb: u32, region: &str) -> Self {
        Self {
            function_name: function_name.to_owned(),
            function_version: "$LATEST".to_owned(),
            instance_id: instance_id.to_owned(),
            memory_mb,
            runtime_version: concat!("provided:lambda-lab.v", env!("CARGO_PKG_VERSION")).to_owned(),
            runtime_version_arn: format!("arn:aws:lambda:{region}::runtime:{:064}", 0),
        }
    }
}

/// Who printed a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Function,
    /// By name.
    Extension(String),
}

/// One sandbox's log.
pub(crate) struct SandboxLog {
    log: Arc<FunctionLog>,
    facts: SandboxFacts,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    pipes: Vec<(Source, Arc<Pipe>)>,
    tail: Tail,
}

impl SandboxLog {
    /// The log of one sandbox, which writes to its function's.
    pub(crate) fn new(log: Arc<FunctionLog>, facts: SandboxFacts) -> Arc<Self> {
        Arc::new(Self { log, facts, inner: Mutex::default() })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic under this lock leaves a log behind that lacks a line at most.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The writing ends of a new pipe, as stdout and stderr of one process. Call it within a tokio runtime.
    ///
    /// # Errors
    /// What the system says when it has no pipe to give.
    pub(crate) fn output(self: &Arc<Self>, source: Source) -> io::Result<(Stdio, Stdio)> {
        let (pipe, ends) = Pipe::open()?;
        let pipe = Arc::new(pipe);
        self.inner().pipes.push((source.clone(), Arc::clone(&pipe)));
        let log = Arc::clone(self);
        tokio::spawn(async move {
            pipe.read_to_end(|lines| log.printed(&source, lines)).await;
            log.inner().pipes.retain(|(_, known)| !Arc::ptr_eq(known, &pipe));
        });
        Ok(ends)
    }

    /// Puts what the processes have written so far into the log, an unfinished line included. Does not wait.
    pub(crate) fn drain(&self) {
        let pipes = self.inner().pipes.clone();
        for (source, pipe) in pipes {
            pipe.drain(|lines| self.printed(&source, lines));
        }
    }

    fn printed(&self, _source: &Source, lines: &[Vec<u8>]) {
        let mut text = Vec::new();
        for line in lines {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        self.write(&mut self.inner(), &text);
    }

    /// Logs `event`, and queues it for those who subscribed.
    #[allow(clippy::needless_pass_by_value)] // An event is made to be emitted.
    pub(crate) fn emit(&self, event: PlatformEvent) {
        let text = text::render(&event, &self.facts);
        self.write(&mut self.inner(), text.as_bytes());
    }

    fn write(&self, inner: &mut Inner, lines: &[u8]) {
        inner.tail.push(lines);
        self.log.write(lines);
    }

    /// The Telemetry API of this sandbox; `known_extension` tells the name of the extension with an id.
    pub(crate) fn telemetry_router(
        self: &Arc<Self>,
        known_extension: impl Fn(Uuid) -> Option<String> + Send + Sync + 'static,
    ) -> axum::Router {
        telemetry::router(Arc::clone(self), Arc::new(known_extension))
    }

    /// INIT is over: nobody can subscribe from now on.
    pub(crate) fn init_over(&self) {}

    /// The sandbox is about to be frozen: nothing is sent to it until [`Self::thawed`].
    pub(crate) fn frozen(&self) {}

    /// The sandbox runs again; what was queued meanwhile is sent.
    pub(crate) fn thawed(&self) {}

    /// Sends what is queued, waiting at most `limit` for it to arrive.
    pub(crate) async fn flush(&self, _limit: Duration) {}

    /// Keeps the last 4 KB of what is logged from now, for [`Self::tail`].
    pub(crate) fn begin_tail(&self) {
        self.inner().tail.begin();
    }

    /// The last 4 KB of what was logged since [`Self::begin_tail`].
    pub(crate) fn tail(&self) -> Vec<u8> {
        self.inner().tail.take()
    }
}
