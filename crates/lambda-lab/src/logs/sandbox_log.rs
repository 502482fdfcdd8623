//! One sandbox's log: its processes' pipes, its events, its subscribers.
//!
//! Apart from the function's log, which all its sandboxes share, and from the formats. Invariant: one lock puts everything a sandbox
//! says into one order, for the file, the tail and the subscribers.

use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use super::event::PlatformEvent;
use super::function_log::{FunctionLog, LogFormat};
use super::json::{self, Before};
use super::level::{ApplicationLevel, SystemLevel};
use super::pipe::Pipe;
use super::tail::Tail;
use super::telemetry::{self, Subscription, Telemetry, Type};
use super::{SandboxFacts, text};

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
    outputs: Vec<Arc<Output>>,
    tail: Tail,
    telemetry: Telemetry,
    before: Before,
}

struct Output {
    source: Source,
    pipe: Pipe,
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

    /// The writing ends of a new pipe, as stdout and stderr of one process. Call it within a tokio runtime. Reading ends when all
    /// who have a writing end are gone.
    ///
    /// # Errors
    /// What the system says when it has no pipe to give.
    pub(crate) fn output(self: &Arc<Self>, source: Source) -> io::Result<(Stdio, Stdio)> {
        let (pipe, ends) = Pipe::open()?;
        let output = Arc::new(Output { source, pipe });
        self.inner().outputs.push(Arc::clone(&output));
        let log = Arc::clone(self);
        tokio::spawn(async move {
            output.pipe.read_to_end(|lines| log.printed(&output.source, lines)).await;
            log.inner().outputs.retain(|known| !Arc::ptr_eq(known, &output));
        });
        Ok(ends)
    }

    /// Puts what the processes have written so far into the log, an unfinished line included. Does not wait.
    pub(crate) fn drain(&self) {
        let outputs = self.inner().outputs.clone();
        for output in outputs {
            output.pipe.drain(|lines| self.printed(&output.source, lines));
        }
    }

    /// Logs whole lines, and queues each for those who subscribed.
    fn printed(&self, source: &Source, lines: &[u8]) {
        let mut inner = self.inner();
        let kind = match source {
            Source::Function => Type::Function,
            Source::Extension(_) => Type::Extension,
        };
        let settings = &self.log.settings;
        let objects = settings.format == LogFormat::Json;
        if inner.telemetry.wants(kind) {
            let now = Timestamp::now();
            for line in lines.split_inclusive(|byte| *byte == b'\n') {
                inner.telemetry.push(kind, &json::line(line, kind.name(), now, objects).into());
            }
        }
        if objects && *source == Source::Function {
            let each = lines.split_inclusive(|byte| *byte == b'\n');
            let kept = each.filter(|line| ApplicationLevel::of_line(line) >= settings.application_level);
            self.write(&mut inner, &kept.collect::<Vec<_>>().concat());
        } else {
            self.write(&mut inner, lines);
        }
    }

    /// Logs `event`, and queues it for those who subscribed.
    #[allow(clippy::needless_pass_by_value)] // An event is made to be emitted.
    pub(crate) fn emit(&self, event: PlatformEvent) {
        self.record(&mut self.inner(), &event);
    }

    fn record(&self, inner: &mut Inner, event: &PlatformEvent) {
        let now = Timestamp::now();
        if let PlatformEvent::InitStart { .. } = event {
            inner.telemetry.open();
        }
        let in_json = self.log.settings.format == LogFormat::Json;
        // It has no event of its own among telemetry.
        let told = !matches!(event, PlatformEvent::Fault { .. }) && inner.telemetry.wants(Type::Platform);
        let object = (in_json || told).then(|| json::render(event, now, &self.facts, &inner.before));
        let lines = match &object {
            Some(object) if in_json => {
                let logged = SystemLevel::of_event(event) >= self.log.settings.system_level;
                if logged { [object, &b"\n"[..]].concat() } else { Vec::new() }
            }
            _ => text::render(event, &self.facts).into_bytes(),
        };
        self.write(inner, &lines);
        if let Some(object) = object.filter(|_| told) {
            inner.telemetry.push(Type::Platform, &Bytes::from(object));
        }
        inner.before.note(event, now);
    }

    fn write(&self, inner: &mut Inner, lines: &[u8]) {
        inner.tail.push(lines);
        self.log.write(lines);
    }

    /// The Telemetry API of this sandbox, for the listener of its Runtime API; `known_extension` tells the name of the extension
    /// with an id.
    pub(crate) fn telemetry_router(
        self: &Arc<Self>,
        known_extension: impl Fn(Uuid) -> Option<String> + Send + Sync + 'static,
    ) -> Router {
        telemetry::router(Arc::clone(self), Arc::new(known_extension))
    }

    pub(super) fn can_subscribe(&self) -> bool {
        self.inner().telemetry.is_open()
    }

    /// Whether the extension `name` gets its telemetry from now; not when INIT is over.
    pub(super) fn subscribe(&self, name: &str, subscription: Subscription) -> bool {
        let mut inner = self.inner();
        let types = subscription.types.iter().map(|kind| kind.name()).collect();
        let Some(state) = inner.telemetry.subscribe(name, subscription) else {
            return false;
        };
        let name = name.to_owned();
        self.record(&mut inner, &PlatformEvent::TelemetrySubscription { name, state, types });
        true
    }

    /// INIT is over: nobody can subscribe from now on, unless it begins again (a new [`PlatformEvent::InitStart`]).
    pub(crate) fn init_over(&self) {
        self.inner().telemetry.close();
    }

    /// The sandbox is about to be frozen: no delivery is begun until [`Self::thawed`]. What is emitted from now arrives then.
    pub(crate) fn frozen(&self) {
        self.inner().telemetry.set_frozen(true);
    }

    /// The sandbox runs again; what was queued meanwhile is sent.
    pub(crate) fn thawed(&self) {
        self.inner().telemetry.set_frozen(false);
    }

    /// Sends what is queued, waiting at most `limit` for it to arrive. A sandbox must be thawed before.
    pub(crate) async fn flush(&self, limit: Duration) {
        let flushed = self.inner().telemetry.flush(limit);
        flushed.await;
    }

    /// Keeps the last 4 KB of what is logged from now, for [`Self::tail`].
    pub(crate) fn begin_tail(&self) {
        self.inner().tail.begin();
    }

    /// The last 4 KB of what was logged since [`Self::begin_tail`]; nothing is kept from now.
    pub(crate) fn tail(&self) -> Vec<u8> {
        self.inner().tail.take()
    }
}
