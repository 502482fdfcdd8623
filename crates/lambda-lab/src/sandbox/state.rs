//! One sandbox's state machine: what its runtime and extensions are doing, and the invocation in hand.
//!
//! Apart from the HTTP handlers that change it and the sandbox that waits on it, so that each rule stands once. States and
//! refusals follow Lambda's runtime API daemon as its open-source interface emulator shows them. Invariant: at most one
//! invocation is in hand, and only the runtime that took it may answer it, once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::http::HeaderValue;
use bytes::Bytes;
use tokio::sync::Notify;
use uuid::Uuid;

/// An event on its way to a runtime.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) request_id: String,
    /// The whole trace header, with the function segment as parent.
    pub(crate) trace_header: String,
    pub(crate) function_arn: String,
    pub(crate) deadline_unix_ms: u64,
    pub(crate) payload: Bytes,
    /// One line of JSON about the invoking client.
    pub(crate) client_context: Option<String>,
}

/// What the runtime made of an event.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The posted response.
    Response(Bytes),
    /// The posted error, its type already checked.
    Error { error_type: String, payload: Bytes },
}

/// Where the runtime process stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuntimePhase {
    /// Started, has not asked for an event yet.
    Started,
    /// Blocked in `next`.
    Waiting,
    /// Works on the event in hand.
    Running,
    /// Has answered, has not asked for the next event yet.
    Answered,
}

/// What an extension is told.
#[derive(Clone, Debug)]
pub(crate) enum ExtensionEvent {
    Invoke(Arc<Event>),
    Shutdown { reason: &'static str, deadline_unix_ms: u64 },
}

#[derive(Debug)]
pub(crate) struct Extension {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) wants_invoke: bool,
    pub(crate) wants_shutdown: bool,
    /// When it asked for the event that it waits for; `None` while it works.
    pub(crate) asked: Option<Instant>,
    pub(crate) pending: Option<ExtensionEvent>,
}

impl Extension {
    /// The events it registered for, in Lambda's spelling.
    pub(crate) fn events(&self) -> Vec<String> {
        let wanted = [("INVOKE", self.wants_invoke), ("SHUTDOWN", self.wants_shutdown)];
        wanted.into_iter().filter(|(_, wants)| *wants).map(|(event, _)| event.to_owned()).collect()
    }
}

/// The invocation in hand.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) event: Arc<Event>,
    pub(crate) answer: Option<Answered>,
}

/// An answer, and when its first and its last byte had arrived.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) answer: Answer,
    pub(crate) began: Instant,
    pub(crate) complete: Instant,
    /// What the runtime posted beside an error as `Lambda-Runtime-Function-XRay-Error-Cause`.
    pub(crate) xray_cause: Option<HeaderValue>,
}

impl Answered {
    /// Bytes the function produced.
    pub(crate) fn bytes(&self) -> usize {
        match &self.answer {
            Answer::Response(payload) | Answer::Error { payload, .. } => payload.len(),
        }
    }
}

/// Why a sandbox's processes can serve no more.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// Lambda's error type, such as `Runtime.ExitError`.
    pub(crate) error_type: String,
    /// Lambda's words, such as `Runtime exited with error: exit status 1`.
    pub(crate) message: String,
    /// What the runtime posted to `init/error`, which the caller gets as it is.
    pub(crate) payload: Option<Bytes>,
}

impl Ended {
    /// With no payload of the function's own.
    pub(crate) fn new(error_type: &str, message: String) -> Self {
        Self { error_type: error_type.to_owned(), message, payload: None }
    }
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) runtime: RuntimePhase,
    /// When the runtime last began to wait for an event.
    pub(crate) runtime_asked: Option<Instant>,
    pub(crate) extensions: Vec<Extension>,
    /// Base names of the external extensions the lab launched.
    pub(crate) launched_extensions: Vec<String>,
    pub(crate) initialized: bool,
    pub(crate) current: Option<Current>,
    pub(crate) ended: Option<Ended>,
}

impl Inner {
    /// Every launched extension has registered: only then does Lambda start the runtime.
    pub(crate) fn has_extensions(&self) -> bool {
        self.launched_extensions.iter().all(|name| self.extensions.iter().any(|ext| ext.name == *name))
    }

    /// Since when INIT is over: the runtime and every extension, launched or internal, have asked for their first event.
    pub(crate) fn ready_since(&self) -> Option<Instant> {
        if !self.has_extensions() {
            return None;
        }
        self.all_asked(self.extensions.iter())
    }

    /// Since when the invocation is over: the runtime and every extension told of it are waiting again.
    pub(crate) fn quiet_since(&self) -> Option<Instant> {
        let told = || self.extensions.iter().filter(|extension| extension.wants_invoke);
        if told().any(|extension| extension.pending.is_some()) {
            return None;
        }
        self.all_asked(told())
    }

    /// When the last of the runtime and `extensions` asked for its next event, if all have.
    fn all_asked<'a>(&self, mut extensions: impl Iterator<Item = &'a Extension>) -> Option<Instant> {
        let runtime = self.runtime_asked.filter(|_| self.runtime == RuntimePhase::Waiting)?;
        extensions.try_fold(runtime, |last, extension| Some(last.max(extension.asked?)))
    }

    /// Whether `extension` was launched by the lab, and not registered from within the runtime.
    pub(crate) fn is_external(&self, extension: &Extension) -> bool {
        self.launched_extensions.contains(&extension.name)
    }

    /// Who INIT still waits for, for the error message of an init time-out.
    pub(crate) fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        if self.has_extensions() && self.runtime != RuntimePhase::Waiting {
            missing.push("the function's first GET /2018-06-01/runtime/invocation/next".to_owned());
        }
        let waiting =
            |name: &String| self.extensions.iter().any(|ext| ext.name == *name && ext.asked.is_some());
        for name in self.launched_extensions.iter().filter(|name| !waiting(name)) {
            missing.push(format!("extension {name}'s first GET /2020-01-01/extension/event/next"));
        }
        missing
    }
}

/// The shared state, and a bell that rings at each change.
#[derive(Debug)]
pub(crate) struct State {
    inner: Mutex<Inner>,
    changed: Notify,
}

impl State {
    pub(crate) fn new(launched_extensions: Vec<String>) -> Self {
        let inner = Inner {
            runtime: RuntimePhase::Started,
            runtime_asked: None,
            extensions: Vec::new(),
            launched_extensions,
            initialized: false,
            current: None,
            ended: None,
        };
        Self { inner: Mutex::new(inner), changed: Notify::new() }
    }

    /// Changes the state and rings the bell.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_waiters();
        result
    }

    /// Looks at the state.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Inner) -> T) -> T {
        look(&self.lock())
    }

    /// Waits until `poll` finds what it looks for; it is asked now and after each change.
    pub(crate) async fn wait_for<T>(&self, mut poll: impl FnMut(&mut Inner) -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Listen before looking, so that a change between the two is not missed.
            changed.as_mut().enable();
            if let Some(found) = poll(&mut self.lock()) {
                return found;
            }
            changed.await;
        }
    }

    /// Marks the sandbox as unable to serve, keeping the first reason.
    pub(crate) fn end(&self, ended: Ended) {
        self.change(|inner| {
            inner.ended.get_or_insert(ended);
        });
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic under this lock leaves plain data behind, which stays usable.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
