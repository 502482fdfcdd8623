//! Powertools-style logs, metrics and traces for Lambda functions, on `tracing` and OpenTelemetry.
//!
//! Stands apart so that every function of a comparison pays for the same telemetry and none can be faster by logging less.
//! It knows Lambda, not what a function does. A line of output is made in memory and written to stdout at once: there is no
//! background thread and no timer, so nothing is left half done when the sandbox is frozen.
//!
//! Invariant: what an invocation logs and counts belongs to its own span, never to a global, so concurrent invocations in one
//! process cannot mix their keys or their metrics.
//!
//! ```no_run
//! # async fn query() -> Result<u32, std::io::Error> { Ok(32) }
//! # async fn example() -> Result<(), lambda_runtime::Error> {
//! use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
//! use serde_json::Value;
//! use telemetry::InStep;
//!
//! let telemetry = &telemetry::start(); // once, first thing in main
//! let handler = service_fn(|event: LambdaEvent<Value>| {
//!     telemetry.invocation(&event.context, async {
//!         let rows = query().in_step(telemetry::step!("db.query")).await?;
//!         telemetry::metric("CacheHit", telemetry::Unit::Count, 1.0);
//!         tracing::info!(rows, "answered");
//!         Ok::<_, Error>(rows)
//!     })
//! });
//! Runtime::new(handler).layer(telemetry.after_response()).run().await
//! # }
//! ```
//!
//! Of a sampled invocation, the trace gets the subsegment `## handler` with the annotations ColdStart and Service, one for each
//! step, and, once a sandbox, `## init` with the steps before the first invocation. An error that is logged at level ERROR makes the
//! subsegment that it is logged in a fault, unless the log's level is above ERROR. Times are the wall clock's.
//!
//! Environment variables read by [`start`]: `POWERTOOLS_LOG_LEVEL`, `LOG_LEVEL` (legacy), `AWS_LAMBDA_LOG_LEVEL` (a floor),
//! `POWERTOOLS_LOGGER_SAMPLE_RATE`, `POWERTOOLS_SERVICE_NAME`, `POWERTOOLS_METRICS_NAMESPACE`,
//! `POWERTOOLS_METRICS_FUNCTION_NAME`, `POWERTOOLS_METRICS_DISABLED`, `AWS_LAMBDA_INITIALIZATION_TYPE`; for traces
//! `AWS_XRAY_DAEMON_ADDRESS` (not there: tracing is off), `POWERTOOLS_TRACE_ENABLED`, `POWERTOOLS_TRACE_DISABLED`,
//! `POWERTOOLS_TRACER_CAPTURE_ERROR`, `OTEL_TRACES_EXPORTER` (`xray`, `console`, `otlp`, `none`) and, with the feature `otlp`,
//! `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`.

mod after_response;
mod invocation;
mod json;
mod level;
mod logs;
mod metrics;
mod output;
mod settings;
mod step;
#[cfg(test)]
mod tests;
mod traces;
mod unit;

pub use after_response::{AfterResponse, SendingAfterResponse, ThenSend};
pub use invocation::{Telemetry, root_trace_id, start};
pub use metrics::metric;
pub use step::InStep;
pub use unit::Unit;

#[doc(hidden)]
pub use tracing as __tracing;
