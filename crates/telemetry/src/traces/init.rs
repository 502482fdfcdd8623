//! INIT, which Lambda gives no trace: recorded before the first invocation, shown under the first one that is sampled.
//!
//! Apart because its spans begin before any trace is known, so their trace is a placeholder until there is one. Invariant: INIT
//! ends where the function starts to wait for its first event, however long the sandbox is frozen after that, and it is shown
//! once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, ContextGuard, InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{IdGenerator, SpanData, SpanEvents, SpanLinks};

use super::buffer::{INIT, Owner};

pub(crate) struct Init {
    start: SystemTime,
    id: SpanId,
    /// The parent of its steps.
    context: Context,
    is_open: AtomicBool,
    end: Mutex<Option<SystemTime>>,
    is_shown: AtomicBool,
}

impl Init {
    /// Begins now.
    pub(crate) fn begin(ids: &impl IdGenerator) -> Self {
        let id = ids.new_span_id();
        let placeholder =
            SpanContext::new(ids.new_trace_id(), id, TraceFlags::SAMPLED, true, TraceState::NONE);
        let context = Context::new()
            .with_remote_span_context(placeholder)
            .with_value(Owner { key: INIT, attributes: Vec::new() });
        Self {
            start: SystemTime::now(),
            id,
            context,
            is_open: AtomicBool::new(true),
            end: Mutex::new(None),
            is_shown: AtomicBool::new(false),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed)
    }

    /// Ends now, unless it has ended before.
    pub(crate) fn end(&self) {
        if self.is_open() && self.is_open.swap(false, Ordering::AcqRel) {
            *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(SystemTime::now());
        }
    }

    /// Makes INIT the parent of the next span that has no other.
    pub(crate) fn enter(&self) -> ContextGuard {
        self.context.clone().attach()
    }

    /// INIT as a subsegment of the segment `parent`; `None` if it has been shown already.
    pub(crate) fn shown_under(&self, parent: &SpanContext) -> Option<SpanData> {
        if self.is_shown.load(Ordering::Relaxed) || self.is_shown.swap(true, Ordering::AcqRel) {
            return None;
        }
        Some(span(self.id, parent, self.start, self.ended()))
    }

    /// Its length, for those who read the trace where a child that starts before its parent is not drawn.
    pub(crate) fn length(&self) -> KeyValue {
        let length = self.ended().duration_since(self.start).unwrap_or_default();
        KeyValue::new("metadata.init_ms", length.as_micros() as f64 / 1000.0)
    }

    fn ended(&self) -> SystemTime {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(self.start)
    }
}

fn span(id: SpanId, parent: &SpanContext, start_time: SystemTime, end_time: SystemTime) -> SpanData {
    let trace: TraceId = parent.trace_id();
    SpanData {
        span_context: SpanContext::new(trace, id, TraceFlags::SAMPLED, false, TraceState::NONE),
        parent_span_id: parent.span_id(),
        parent_span_is_remote: true,
        span_kind: SpanKind::Internal,
        name: "## init".into(),
        start_time,
        end_time,
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::builder("telemetry").build(),
    }
}
