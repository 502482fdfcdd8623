//! Ended spans, kept by invocation until it is over.
//!
//! Apart because this is what stands in for OpenTelemetry's own processors: the batching one has a thread, which does not run
//! while the sandbox is frozen, and the simple one exports within the request, and hangs when exporting makes spans. Invariant:
//! a span is taken under the key of the invocation that started it, so concurrent invocations never mix; what is kept is
//! bounded.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, TraceState};
use opentelemetry::{Context, Key, KeyValue, TraceId, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::losses::{Loss, Losses};

/// Spans of one invocation, and of INIT.
const MAX_SPANS: usize = 256;

/// Spans of ended invocations that wait for [`Buffer::take`].
const MAX_READY: usize = 1024;

/// The attribute that carries [`Owner::key`] from a span's start to its end; it is never sent.
const KEY: &str = "telemetry.invocation";

/// Whose spans they are; stands in the OpenTelemetry context that they are started in.
pub(crate) struct Owner {
    pub(crate) key: i64,
    /// Attributes for the span that hangs on Lambda's own segment.
    pub(crate) attributes: Vec<KeyValue>,
}

/// The key of INIT's spans.
pub(crate) const INIT: i64 = 0;

#[derive(Default)]
struct Spans {
    init: Vec<SpanData>,
    /// The trace that INIT is shown in, once there is one.
    init_trace: Option<TraceId>,
    open: Vec<(i64, Vec<SpanData>)>,
    ready: Vec<SpanData>,
}

pub(crate) struct Buffer {
    spans: Mutex<Spans>,
    losses: Arc<Losses>,
}

impl Buffer {
    pub(crate) fn new(losses: Arc<Losses>) -> Self {
        Self { spans: Mutex::default(), losses }
    }

    /// From now on, keeps the spans of the invocation `key`.
    pub(crate) fn open(&self, key: i64) {
        self.change(|spans| spans.open.push((key, Vec::with_capacity(8))));
    }

    /// The invocation `key` is over: its spans may be sent, and so may each that ends later.
    pub(crate) fn close(&self, key: i64) {
        self.change(|spans| {
            if let Some(index) = spans.open.iter().position(|(open, _)| *open == key) {
                let (_, ended) = spans.open.swap_remove(index);
                self.make_ready(spans, ended);
            }
        });
    }

    /// Makes INIT's spans part of `trace`, the first that is sampled.
    pub(crate) fn adopt_init(&self, trace: TraceId) {
        self.change(|spans| {
            spans.init_trace = Some(trace);
            let ended =
                std::mem::take(&mut spans.init).into_iter().map(|span| in_trace(span, trace)).collect();
            self.make_ready(spans, ended);
        });
    }

    /// What can be sent now.
    pub(crate) fn take(&self) -> Vec<SpanData> {
        self.change(|spans| std::mem::take(&mut spans.ready))
    }

    pub(crate) fn push(&self, key: i64, span: SpanData) {
        self.change(|spans| {
            if key == INIT {
                match spans.init_trace {
                    Some(trace) => self.make_ready(spans, vec![in_trace(span, trace)]),
                    None => self.keep(&mut spans.init, span),
                }
            } else if let Some((_, ended)) = spans.open.iter_mut().find(|(open, _)| *open == key) {
                // The one that all others hang on is kept in any case.
                if span.parent_span_is_remote { ended.push(span) } else { self.keep(ended, span) }
            } else {
                self.make_ready(spans, vec![span]);
            }
        });
    }

    fn keep(&self, kept: &mut Vec<SpanData>, span: SpanData) {
        if kept.len() < MAX_SPANS {
            kept.push(span);
        } else {
            self.losses.add(Loss::TooMany, 1);
        }
    }

    fn make_ready(&self, spans: &mut Spans, mut ended: Vec<SpanData>) {
        let room = MAX_READY.saturating_sub(spans.ready.len());
        if let Some(lost) = ended.len().checked_sub(room).filter(|lost| *lost > 0) {
            self.losses.add(Loss::TooMany, lost as u64);
            ended.truncate(room);
        }
        if spans.ready.is_empty() {
            spans.ready = ended;
        } else {
            spans.ready.append(&mut ended);
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Spans) -> T) -> T {
        change(&mut self.spans.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Spans of INIT are started before any trace is known.
fn in_trace(mut span: SpanData, trace: TraceId) -> SpanData {
    let id = span.span_context.span_id();
    span.span_context = SpanContext::new(trace, id, TraceFlags::SAMPLED, false, TraceState::NONE);
    span
}

/// The buffer as OpenTelemetry's processor of spans.
pub(crate) struct BufferingProcessor(pub(crate) Arc<Buffer>);

impl std::fmt::Debug for BufferingProcessor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("BufferingProcessor")
    }
}

impl SpanProcessor for BufferingProcessor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        use opentelemetry::trace::Span as _;
        let Some(owner) = context.get::<Owner>() else { return };
        span.set_attribute(KeyValue::new(Key::from_static_str(KEY), owner.key));
        if !owner.attributes.is_empty() && context.span().span_context().is_remote() {
            span.set_attributes(owner.attributes.iter().cloned());
        }
    }

    fn on_end(&self, mut span: SpanData) {
        let Some(index) = span.attributes.iter().position(|attribute| attribute.key.as_str() == KEY) else {
            return self.0.losses.add(Loss::NoParent, 1);
        };
        if let Value::I64(key) = span.attributes.remove(index).value {
            self.0.push(key, span);
        }
    }

    /// Sending waits for nobody but [`Buffer::take`].
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
