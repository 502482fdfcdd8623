//! The ways out for ended spans.
//!
//! Apart so that the rest of the tracer knows none of them. Invariant: whatever is handed to a transport is sent, or counted as
//! lost; a document that cannot be sent takes no other one with it.

mod datagrams;
#[cfg(test)]
pub(crate) mod memory;
#[cfg(feature = "otlp")]
pub(crate) mod otlp;
mod stdout;

use std::pin::Pin;
use std::sync::Arc;

use opentelemetry_sdk::trace::SpanData;

pub(crate) use self::datagrams::Datagrams;
pub(crate) use self::stdout::Stdout;
use super::losses::Losses;

/// What is left to be done, where sending has to wait for an answer. It ends by itself, after a time-out at the latest.
pub(crate) type Sending = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A way out.
pub(crate) trait Transport: Send + Sync {
    /// Sends the ended spans of one or more invocations; never blocks. `None`: all is done.
    fn send(&self, spans: Vec<SpanData>, losses: &Arc<Losses>) -> Option<Sending>;
}
