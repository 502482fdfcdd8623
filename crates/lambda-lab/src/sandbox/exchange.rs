//! What one invocation waits for from the processes of a sandbox's life.
//!
//! Apart from the invocation, which puts these into Lambda's order. Times are those at which a process asked or answered, not those
//! at which the lab came round to look. Invariant: each wait ends when the life does.

use std::sync::Arc;
use std::time::Instant;

use super::invocation::Outcome;
use super::life::Life;
use super::state::{Answered, Current, Ended, Event, ExtensionEvent, RuntimePhase};

impl Life {
    /// Gives `event` to the runtime and to the extensions that want it.
    pub(super) fn hand_out(&self, event: Arc<Event>) {
        self.state.change(|inner| {
            for extension in inner.extensions.iter_mut().filter(|extension| extension.wants_invoke) {
                extension.pending = Some(ExtensionEvent::Invoke(Arc::clone(&event)));
            }
            inner.current = Some(Current { event, answer: None });
        });
    }

    /// The answer, or why there will be none.
    pub(super) async fn outcome(&self) -> Outcome {
        let found = self.state.wait_for(|inner| {
            let answered = inner.current.as_ref().and_then(|current| current.answer.as_ref());
            match (answered, &inner.ended) {
                (Some(answered), _) => Some(Outcome::Answered(answered.answer.clone())),
                (None, Some(ended)) => Some(Outcome::Ended(ended.clone())),
                (None, None) => None,
            }
        });
        found.await
    }

    pub(super) fn answered(&self) -> Option<Answered> {
        self.state.look(|inner| inner.current.as_ref()?.answer.clone())
    }

    /// When the runtime asked for its next event after the answer, or why it never will.
    pub(super) async fn runtime_asked(&self) -> Result<Instant, Ended> {
        let found = self.state.wait_for(|inner| {
            let asked = inner.runtime_asked.filter(|_| inner.runtime == RuntimePhase::Waiting);
            match (asked, &inner.ended) {
                (Some(asked), _) => Some(Ok(asked)),
                (None, Some(ended)) => Some(Err(ended.clone())),
                (None, None) => None,
            }
        });
        found.await
    }

    /// When the last of the runtime and the extensions asked for its next event.
    pub(super) async fn quiet(&self) -> Result<Instant, Ended> {
        self.unless_ended(|inner| inner.quiet_since()).await
    }

    pub(super) fn close(&self) {
        self.state.change(|inner| inner.current = None);
    }
}
