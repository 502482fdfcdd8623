//! Which `tracing` spans become OpenTelemetry spans.
//!
//! Apart because this decides what tracing costs. `tracing-opentelemetry`'s own layer would take every span and copy every log
//! line of a function; this one shows it the steps and the handler of a sampled invocation, and errors. Invariant: outside a
//! sampled invocation, and after INIT, a step is not even a `tracing` span.

use std::sync::Arc;

use opentelemetry_sdk::trace::SdkTracer;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer};

use super::Traces;

/// The target of the spans that [`step!`](crate::step) makes.
pub(crate) const STEP_TARGET: &str = "telemetry::step";

/// The target of the span that a sampled invocation runs in.
pub(crate) const HANDLER_TARGET: &str = "telemetry::handler";

pub(crate) struct TraceLayer {
    inner: OpenTelemetryLayer<Registry, SdkTracer>,
    traces: Arc<Traces>,
}

impl TraceLayer {
    pub(crate) fn new(tracer: SdkTracer, traces: Arc<Traces>) -> Self {
        // Parents are found through `tracing` alone, and no attribute is added that nobody asked for.
        let inner = tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_context_activation(false)
            .with_tracked_inactivity(false)
            .with_location(false)
            .with_threads(false)
            .with_target(false);
        Self { inner, traces }
    }

    fn is_recording(&self, context: &Context<'_, Registry>) -> bool {
        context.lookup_current().map_or_else(|| self.traces.is_init(), |span| is_traced(span.metadata()))
    }
}

/// Spans with these targets are only made where something is recorded.
fn is_traced(metadata: &Metadata<'_>) -> bool {
    metadata.target() == STEP_TARGET || metadata.target() == HANDLER_TARGET
}

impl Layer<Registry> for TraceLayer {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.target() == STEP_TARGET { Interest::sometimes() } else { Interest::always() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, Registry>) -> bool {
        metadata.target() != STEP_TARGET || self.is_recording(&context)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, Registry>) {
        if !is_traced(attributes.metadata()) {
            return;
        }
        let is_step = attributes.metadata().target() == STEP_TARGET;
        let _parent = (is_step && context.lookup_current().is_none()).then(|| self.traces.enter_init());
        self.inner.on_new_span(attributes, id, context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, Registry>) {
        if context.metadata(id).is_some_and(is_traced) {
            self.inner.on_record(id, values, context);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, Registry>) {
        if *event.metadata().level() == Level::ERROR
            && context.event_span(event).is_some_and(|span| is_traced(span.metadata()))
        {
            self.inner.on_event(event, context);
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, Registry>) {
        if context.metadata(id).is_some_and(is_traced) {
            self.inner.on_exit(id, context);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, Registry>) {
        if context.metadata(&id).is_some_and(is_traced) {
            self.inner.on_close(id, context);
        }
    }
}
