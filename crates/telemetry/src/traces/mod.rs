//! The tracer: Lambda's trace continued by a subsegment for the handler and one for each step.
//!
//! Apart from logs and metrics because it has an end of its own: what an invocation recorded is sent after its answer, where
//! nobody waits. The way of a span: `layer` lets it become an OpenTelemetry span, `buffer` keeps it until its invocation is
//! over, `transport` sends it as the `document` that it is. Invariants: no thread, no timer, and nothing of the tracer
//! waits for the network while a client waits for an answer; an invocation that is not sampled makes no span.

mod buffer;
pub(crate) mod destination;
mod document;
pub(crate) mod header;
mod init;
mod layer;
mod losses;
mod transport;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry::{Context, ContextGuard};
use opentelemetry_aws::trace::XrayIdGenerator;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::Span;
use tracing::field::Empty;

use self::buffer::{Buffer, BufferingProcessor, Owner};
use self::destination::Destination;
pub(crate) use self::document::Style;
use self::init::Init;
pub(crate) use self::layer::{HANDLER_TARGET, STEP_TARGET, TraceLayer};
pub(crate) use self::losses::Losses;
use self::transport::{Datagrams, Stdout};
pub(crate) use self::transport::{Sending, Transport};
#[cfg(test)]
pub(crate) use self::{losses::Loss, transport::memory::Memory};
use crate::output::Output;

/// The tracer of one process.
pub(crate) struct Traces {
    service: String,
    buffer: Arc<Buffer>,
    losses: Arc<Losses>,
    init: Init,
    transport: Box<dyn Transport>,
    last_key: AtomicI64,
}

impl Traces {
    /// Begins to record INIT, and gives the layer that records what follows.
    pub(crate) fn start(
        destination: &Destination,
        style: Style,
        output: &Arc<Output>,
    ) -> (Arc<Self>, TraceLayer) {
        let service = style.service.clone();
        let transport: Box<dyn Transport> = match destination {
            Destination::Daemon(address) => Box::new(Datagrams::new(*address, style)),
            Destination::Stdout => Box::new(Stdout { output: Arc::clone(output), style }),
            #[cfg(feature = "otlp")]
            Destination::Collector(address) => {
                Box::new(transport::otlp::Collector::new(address.clone(), &service))
            }
        };
        Self::with_transport(service, transport)
    }

    /// The same with any way out.
    pub(crate) fn with_transport(service: String, transport: Box<dyn Transport>) -> (Arc<Self>, TraceLayer) {
        let losses = Arc::new(Losses::default());
        let buffer = Arc::new(Buffer::new(Arc::clone(&losses)));
        let ids = XrayIdGenerator::default();
        let init = Init::begin(&ids);
        let provider = SdkTracerProvider::builder()
            .with_id_generator(ids)
            // Sampling is Lambda's: what has no sampled parent is no span.
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)))
            .with_span_processor(BufferingProcessor(Arc::clone(&buffer)))
            .with_resource(Resource::builder_empty().build())
            .build();
        let traces = Arc::new(Self {
            service,
            buffer,
            losses,
            init,
            transport,
            last_key: AtomicI64::new(buffer::INIT),
        });
        let layer = TraceLayer::new(provider.tracer("telemetry"), Arc::clone(&traces));
        (traces, layer)
    }

    /// Whether steps outside any invocation are steps of INIT.
    pub(crate) fn is_init(&self) -> bool {
        self.init.is_open()
    }

    pub(crate) fn enter_init(&self) -> ContextGuard {
        self.init.enter()
    }

    pub(crate) fn end_init(&self) {
        self.init.end();
    }

    /// Joins the trace of `header`; `None` if it is not sampled. The first that is sampled is shown INIT too.
    ///
    /// The span is made with its parent, before it is entered for the first time: afterwards it could not be changed.
    pub(crate) fn join(self: &Arc<Self>, header: Option<&str>, cold_start: bool) -> Option<Joined> {
        self.init.end();
        let parent = header::sampled_parent(header)?;
        let key = self.last_key.fetch_add(1, Ordering::Relaxed) + 1;
        self.buffer.open(key);
        let mut attributes = self.losses.unreported();
        if let Some(span) = self.init.shown_under(&parent) {
            attributes.push(self.init.length());
            self.buffer.adopt_init(parent.trace_id());
            self.buffer.push(key, span);
        }
        let context = Context::new().with_remote_span_context(parent).with_value(Owner { key, attributes });
        let _parent = context.attach();
        let span = tracing::span!(
            target: "telemetry::handler",
            tracing::Level::ERROR,
            "## handler",
            annotation.ColdStart = cold_start,
            annotation.Service = self.service,
            otel.status_code = Empty,
            exception.message = Empty,
        );
        Some(Joined { span, ended: Ended { traces: Arc::clone(self), key } })
    }

    /// Sends what ended invocations recorded. `None`: it is sent.
    pub(crate) fn send(&self) -> Option<Sending> {
        let spans = self.buffer.take();
        if spans.is_empty() {
            return None;
        }
        let sending = self.transport.send(spans, &self.losses);
        if sending.is_none() {
            self.losses.tell();
        }
        sending
    }

    /// Tells of losses that were counted while something was being sent.
    pub(crate) fn sent(&self) {
        self.losses.tell();
    }

    #[cfg(test)]
    pub(crate) fn lost(&self, loss: Loss) -> u64 {
        self.losses.total(loss)
    }
}

/// An invocation within its trace.
pub(crate) struct Joined {
    /// The span that the handler is to run in.
    pub(crate) span: Span,
    /// To be dropped after the handler and `span`: what was recorded may be sent then.
    pub(crate) ended: Ended,
}

pub(crate) struct Ended {
    traces: Arc<Traces>,
    key: i64,
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.traces.buffer.close(self.key);
    }
}
