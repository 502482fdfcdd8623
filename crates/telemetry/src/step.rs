//! The steps of a handler.
//!
//! Apart because it is all that a function sees of the tracer while it works. Invariant: a step changes nothing of what its
//! future gives, and one that nobody records costs a look at the current span.

use std::error::Error;

use tracing::field::display;
use tracing::{Instrument, Span};

/// Makes the [`tracing::Span`] of one named step of a handler, to be given to [`InStep::in_step`] or `.instrument(..)`.
///
/// The name is a literal in dotted lower case: `parameters`, `cache.get`, `db.connect`, `db.query`, `serialize`, `cache.set`.
/// Fields may follow, as in `tracing::span!`; they use OpenTelemetry's names where there is one, so that a call of another
/// service becomes a node of its own in X-Ray:
///
/// ```
/// use tracing::field::Empty;
/// telemetry::step!("parameters");
/// telemetry::step!("db.query", rows = Empty); // metadata
/// telemetry::step!("cache.get", annotation.hit = true); // indexed
/// telemetry::step!("greetings", otel.kind = "client", http.response.status_code = Empty); // namespace remote
/// telemetry::step!("SSM", rpc.system = "aws-api", rpc.method = "GetParameters"); // namespace aws
/// ```
#[macro_export]
macro_rules! step {
    ($name:literal $(, $($field:tt)*)?) => {
        $crate::__tracing::span!(
            target: "telemetry::step",
            // The highest level, because a step must not come and go with the level of the logs.
            $crate::__tracing::Level::ERROR,
            $name,
            otel.status_code = $crate::__tracing::field::Empty,
            exception.message = $crate::__tracing::field::Empty,
            exception.type = $crate::__tracing::field::Empty,
            $($($field)*)?
        )
    };
}

/// Work that runs as a step.
pub trait InStep: Future + Sized {
    /// Runs this future as `step`. If it fails, the step is a fault in the trace, with the error and its causes; the error goes
    /// on to the caller as it is.
    fn in_step<T, E>(self, step: Span) -> impl Future<Output = Result<T, E>>
    where
        Self: Future<Output = Result<T, E>>,
        E: Error,
    {
        async move {
            let result = self.instrument(step.clone()).await;
            if let Err(error) = &result {
                record(&step, error);
            }
            result
        }
    }
}

impl<F: Future> InStep for F {}

fn record<E: Error>(step: &Span, error: &E) {
    if step.is_disabled() {
        return;
    }
    step.record("otel.status_code", "ERROR");
    step.record("exception.type", std::any::type_name::<E>());
    step.record("exception.message", display(with_causes(error)));
}

/// An error's text, with those of its causes that it does not quote itself.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}
