//! Powertools-style logs and metrics for Lambda functions, on `tracing`.
//!
//! Stands apart so that every function of a comparison pays for the same telemetry and none can be faster by logging less.
//! It knows Lambda, not what a function does. A line of output is made in memory and written to stdout at once: there is no
//! background thread and no timer, so nothing is left half done when the sandbox is frozen.
//!
//! Invariant: what an invocation logs and counts belongs to its own span, never to a global, so concurrent invocations in one
//! process cannot mix their keys or their metrics.
//!
//! ```no_run
//! # async fn example(context: lambda_runtime::Context) {
//! use tracing::Instrument;
//!
//! let telemetry = telemetry::start(); // once, in main
//! telemetry
//!     .invocation(&context, async {
//!         let rows = async { 32 }.instrument(telemetry::step!("db.query")).await;
//!         telemetry::metric("CacheHit", telemetry::Unit::Count, 1.0);
//!         tracing::info!(rows, "answered");
//!     })
//!     .await;
//! # }
//! ```
//!
//! Environment variables read by [`start`]: `POWERTOOLS_LOG_LEVEL`, `LOG_LEVEL` (legacy), `AWS_LAMBDA_LOG_LEVEL` (a floor),
//! `POWERTOOLS_LOGGER_SAMPLE_RATE`, `POWERTOOLS_SERVICE_NAME`, `POWERTOOLS_METRICS_NAMESPACE`,
//! `POWERTOOLS_METRICS_FUNCTION_NAME`, `POWERTOOLS_METRICS_DISABLED`, `AWS_LAMBDA_INITIALIZATION_TYPE`.

mod invocation;
mod json;
mod level;
mod logs;
mod metrics;
mod settings;
#[cfg(test)]
mod tests;
mod unit;

pub use invocation::{Telemetry, root_trace_id, start};
pub use metrics::metric;
pub use unit::Unit;

/// Makes the [`tracing::Span`] of one named step of a handler, to be given to `.instrument(..)`.
///
/// It marks where the tracer will stand. Nothing records steps yet, and a step that nobody records costs one atomic load.
/// The name is a literal in dotted lower case: `parameters`, `cache.get`, `db.connect`, `db.query`, `serialize`, `cache.set`.
#[macro_export]
macro_rules! step {
    ($name:literal) => {
        // The highest level, because a step must not come and go with the level of the logs.
        $crate::__tracing::span!(target: "telemetry::step", $crate::__tracing::Level::ERROR, $name)
    };
}

#[doc(hidden)]
pub use tracing as __tracing;
