//! The log lines: a `tracing` layer that prints each event as one JSON object in Powertools' order of keys.
//!
//! Apart because this is the hot path. What may be printed is decided once for each place in the code that logs, so a line that
//! is not wanted costs one atomic load; a line that is wanted is built in a buffer that its thread keeps.
//! Invariant: a line never holds two values under one key, and is always one write.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::invocation::{Invocation, Shared};
use crate::json;
use crate::traces::{HANDLER_TARGET, STEP_TARGET};

/// The target of the span that an invocation runs in, if it is not traced.
pub(crate) const INVOCATION_TARGET: &str = "telemetry::invocation";

/// Crates whose chatter below a warning is of no use to the reader of a function's logs, with all whose names they begin
/// (`aws` stands for `aws_config`, `aws_smithy_runtime` and so on).
const THIRD_PARTIES: [&str; 16] = [
    "aws",
    "fred",
    "h2",
    "http",
    "hyper",
    "lambda_extension",
    "lambda_http",
    "lambda_runtime",
    "mio",
    "opentelemetry",
    "reqwest",
    "rustls",
    "sqlx",
    "tokio",
    "tower",
    "want",
];

/// The keys that the logger itself writes; an event's field of that name is written as `event_<name>`.
const OWN_KEYS: [&str; 10] = [
    "level",
    "timestamp",
    "service",
    "cold_start",
    "function_arn",
    "function_memory_size",
    "function_name",
    "function_request_id",
    "sampling_rate",
    "xray_trace_id",
];

thread_local! {
    /// Taken while in use: an event logged from within a field's Debug finds an empty one and makes its own.
    static LINE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

pub(crate) struct Logs {
    shared: Arc<Shared>,
}

impl Logs {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    fn is_wanted(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.is_span() {
            // Only an invocation's own span holds anything for a line; which steps are spans is the tracer's to say.
            let target = metadata.target();
            return target == INVOCATION_TARGET
                || (self.shared.traces.is_some() && (target == STEP_TARGET || target == HANDLER_TARGET));
        }
        let level = self.shared.settings.level;
        let limit = if is_third_party(metadata.target()) { level.min(LevelFilter::WARN) } else { level };
        *metadata.level() <= limit
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Logs {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.is_wanted(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.is_wanted(metadata)
    }

    /// At least ERROR, whatever the level of the logs: the invocation's span has that level and must not be lost with SILENT.
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.shared.settings.level.max(LevelFilter::ERROR))
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = LINE.take();
        line.clear();
        line.extend_from_slice(b"{\"level\":\"");
        line.extend_from_slice(level_name(*event.metadata().level()).as_bytes());
        line.extend_from_slice(b"\",\"message\":");
        let before_message = line.len();
        event.record(&mut Message(&mut line));
        if line.len() == before_message {
            line.extend_from_slice(b"\"\"");
        }
        json::key(&mut line, "timestamp");
        json::text(&mut line, format_args!("{:.3}", Timestamp::now()));
        self.push_keys(&mut line, event, &context);
        event.record(&mut Fields(&mut line));
        line.extend_from_slice(b"}\n");
        self.shared.output.write_line(&line);
        LINE.set(line);
    }
}

impl Logs {
    /// The keys are copied before any field is formatted, so no lock is held while foreign code runs.
    fn push_keys<S: Subscriber + for<'a> LookupSpan<'a>>(
        &self,
        line: &mut Vec<u8>,
        event: &Event<'_>,
        context: &Context<'_, S>,
    ) {
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(invocation) = span.extensions().get::<Invocation>() {
                line.extend_from_slice(&invocation.keys);
                return;
            }
        }
        line.extend_from_slice(&self.shared.keys);
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::TRACE => "TRACE",
        Level::DEBUG => "DEBUG",
        Level::INFO => "INFO",
        Level::WARN => "WARN",
        Level::ERROR => "ERROR",
    }
}

fn is_third_party(target: &str) -> bool {
    let root = target.split("::").next().unwrap_or(target);
    THIRD_PARTIES
        .iter()
        .any(|name| root.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_')))
}

/// Writes the event's message and nothing else.
struct Message<'a>(&'a mut Vec<u8>);

impl Visit for Message<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            json::string(self.0, value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            json::text(self.0, format_args!("{value:?}"));
        }
    }
}

/// Writes all the event's fields but its message.
struct Fields<'a>(&'a mut Vec<u8>);

impl Fields<'_> {
    fn push(&mut self, field: &Field, value: impl FnOnce(&mut Vec<u8>)) {
        let name = field.name().strip_prefix("r#").unwrap_or(field.name());
        if name == "message" {
            return;
        }
        if OWN_KEYS.contains(&name) {
            json::key(self.0, &format!("event_{name}"));
        } else {
            json::key(self.0, name);
        }
        value(self.0);
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.push(field, |line| json::number(line, value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, |line| json::plain(line, value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, |line| json::plain(line, value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, |line| json::plain(line, value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, |line| json::string(line, value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.push(field, |line| json::error(line, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field, |line| json::text(line, format_args!("{value:?}")));
    }
}
