//! One process's telemetry, and the span that each of its invocations runs in.
//!
//! Apart because the life of an invocation (its keys made once, its cold start told, its metrics flushed) is the one thing that
//! logs and metrics share. Invariant: the keys are bytes made once at the start of an invocation; a log line only copies them.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lambda_runtime::Context;
use tracing::{Dispatch, Instrument, Level, Span, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

use crate::after_response::AfterResponse;
use crate::json;
use crate::logs::{INVOCATION_TARGET, Logs};
use crate::metrics::{self, Metrics};
use crate::output::Output;
use crate::settings::Settings;
use crate::traces::header::field;
use crate::traces::{Ended, Joined, Sending, TraceLayer, Traces};

/// What all invocations of one process share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) output: Arc<Output>,
    /// `None` where tracing is off.
    pub(crate) traces: Option<Arc<Traces>>,
    /// True until the first invocation has taken it.
    cold: AtomicBool,
    /// The keys of a line that belongs to no invocation.
    pub(crate) keys: Vec<u8>,
}

impl Shared {
    fn new(settings: Settings, output: Arc<Output>, traces: Option<Arc<Traces>>) -> Self {
        let mut keys = Vec::new();
        push_service(&mut keys, &settings);
        push_sample_rate(&mut keys, &settings);
        let cold = AtomicBool::new(!settings.provisioned);
        Self { settings, output, traces, cold, keys }
    }
}

/// What belongs to one invocation; it lives in the extensions of the invocation's span.
pub(crate) struct Invocation {
    pub(crate) keys: Vec<u8>,
    pub(crate) metrics: Metrics,
    pub(crate) shared: Arc<Shared>,
}

impl Drop for Invocation {
    /// Counts made by a task that outlived its invocation are written when the last such task ends.
    fn drop(&mut self) {
        self.metrics.flush(&self.shared);
    }
}

/// The telemetry of one process, made by [`start`]. Cloning it is cheap and shares everything.
#[derive(Clone)]
pub struct Telemetry {
    pub(crate) shared: Arc<Shared>,
}

/// Reads the environment (see the [crate] page), installs the global `tracing` subscriber and returns the handle that
/// [`Telemetry::invocation`] needs. Call it once, first thing in `main`.
///
/// It never fails: a bad setting is replaced by its default and told in one warning line, and so is a subscriber that something
/// else has installed before, in which case nothing will be logged by this crate.
pub fn start() -> Telemetry {
    let chance = RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64;
    let settings = Settings::read(|name| std::env::var(name).ok(), chance);
    let (telemetry, dispatch) = Telemetry::new(settings, Box::new(io::stdout()));
    let installed = tracing::dispatcher::set_global_default(dispatch.clone());
    tracing::dispatcher::with_default(&dispatch, || {
        if let Err(error) = installed {
            tracing::warn!(
                "no logs or metrics are written: {error}; start telemetry once, before any other subscriber"
            );
        }
        for warning in &telemetry.shared.settings.warnings {
            tracing::warn!("{warning}");
        }
    });
    telemetry
}

impl Telemetry {
    /// The same for any settings and any output, and without touching the process's global subscriber.
    pub(crate) fn new(settings: Settings, output: Box<dyn Write + Send>) -> (Self, Dispatch) {
        let output = Arc::new(Output::new(output));
        let tracer = settings.destination.as_ref().map(|to| Traces::start(to, settings.style(), &output));
        Self::with_tracer(settings, output, tracer)
    }

    pub(crate) fn with_tracer(
        settings: Settings,
        output: Arc<Output>,
        tracer: Option<(Arc<Traces>, TraceLayer)>,
    ) -> (Self, Dispatch) {
        let (traces, layer) = tracer.unzip();
        let shared = Arc::new(Shared::new(settings, output, traces));
        let logs = Logs::new(Arc::clone(&shared));
        (Self { shared }, Dispatch::new(tracing_subscriber::registry().with(layer).with(logs)))
    }

    /// Runs `handler` as one invocation: what it logs carries the keys of `context`, what it counts with [`metric`](crate::metric)
    /// is written when it ends, and the first invocation of a sandbox writes the ColdStart metric.
    ///
    /// `context` is read before this returns, so the future does not borrow it. The metrics are also written when the
    /// future is dropped before it has finished, and when it panics.
    pub fn invocation<F: Future>(
        &self,
        context: &Context,
        handler: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        let cold_start =
            self.shared.cold.load(Ordering::Relaxed) && self.shared.cold.swap(false, Ordering::Relaxed);
        if cold_start {
            metrics::write_cold_start(&self.shared, &context.env_config.function_name);
        }
        let traces = self.shared.traces.as_ref();
        let (span, ended) = match traces.and_then(|traces| traces.join(header(context), cold_start)) {
            Some(Joined { span, ended }) => (span, Some(ended)),
            None => (tracing::span!(target: INVOCATION_TARGET, Level::ERROR, "invocation"), None),
        };
        let keys = keys(&self.shared.settings, context, cold_start);
        let invocation = Invocation { keys, metrics: Metrics::default(), shared: Arc::clone(&self.shared) };
        attach(&span, invocation);
        let end = AtEnd { span, _ended: ended };
        async move {
            let end = end;
            handler.instrument(end.span.clone()).await
        }
    }

    /// The layer that sends traces when a response has been posted, for `lambda_runtime::Runtime::layer`. Make it when all is
    /// ready for the first event: INIT ends here, as the trace shows it.
    pub fn after_response(&self) -> AfterResponse {
        if let Some(traces) = &self.shared.traces {
            traces.end_init();
        }
        AfterResponse { telemetry: self.clone() }
    }

    pub(crate) fn send_traces(&self) -> Option<Sending> {
        self.shared.traces.as_ref()?.send()
    }

    pub(crate) fn traces_sent(&self) {
        if let Some(traces) = &self.shared.traces {
            traces.sent();
        }
    }
}

fn header(context: &Context) -> Option<&str> {
    context.xray_trace_id.as_deref()
}

/// The Root of the invocation's X-Ray trace, `1-<8 hex>-<24 hex>`, as it stands in the logs: what an answer may show its caller.
/// `None` where the invocation is not traced.
pub fn root_trace_id(context: &Context) -> Option<&str> {
    field(header(context)?, "Root").filter(|root| !root.is_empty())
}

/// Runs `action` on the invocation that the calling code belongs to, if it belongs to one.
pub(crate) fn with_current<T>(mut action: impl FnMut(&mut Invocation) -> T) -> Option<T> {
    tracing::dispatcher::get_default(|dispatch| {
        let registry = dispatch.downcast_ref::<Registry>()?;
        let current = registry.current_span();
        let span = registry.span(current.id()?)?;
        span.scope().find_map(|span| span.extensions_mut().get_mut::<Invocation>().map(&mut action))
    })
}

fn attach(span: &Span, invocation: Invocation) {
    span.with_subscriber(|(id, dispatch)| {
        if let Some(span) = dispatch.downcast_ref::<Registry>().and_then(|registry| registry.span(id)) {
            span.extensions_mut().insert(invocation);
        }
    });
}

/// Ends an invocation, however it ends. Its fields go in this order: the span is closed before its trace is.
struct AtEnd {
    span: Span,
    _ended: Option<Ended>,
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.span.record("otel.status_code", "ERROR");
            self.span.record("exception.message", "the handler panicked");
        }
        self.span.with_subscriber(|(id, dispatch)| {
            let Some(span) = dispatch.downcast_ref::<Registry>().and_then(|registry| registry.span(id))
            else {
                return;
            };
            if let Some(invocation) = span.extensions_mut().get_mut::<Invocation>() {
                invocation.metrics.flush(&invocation.shared);
            }
        });
    }
}

/// The keys in the order in which Powertools for TypeScript writes them.
fn keys(settings: &Settings, context: &Context, cold_start: bool) -> Vec<u8> {
    let mut keys = Vec::with_capacity(512);
    push_service(&mut keys, settings);
    json::key(&mut keys, "cold_start");
    json::plain(&mut keys, cold_start);
    json::key(&mut keys, "function_arn");
    json::string(&mut keys, &context.invoked_function_arn);
    json::key(&mut keys, "function_memory_size");
    json::plain(&mut keys, context.env_config.memory);
    json::key(&mut keys, "function_name");
    json::string(&mut keys, &context.env_config.function_name);
    json::key(&mut keys, "function_request_id");
    json::string(&mut keys, &context.request_id);
    push_sample_rate(&mut keys, settings);
    if let Some(root) = root_trace_id(context) {
        json::key(&mut keys, "xray_trace_id");
        json::string(&mut keys, root);
    }
    keys
}

/// The keys continue a line that already has some, hence the comma.
fn push_service(keys: &mut Vec<u8>, settings: &Settings) {
    keys.extend_from_slice(b",\"service\":");
    json::string(keys, &settings.service);
}

fn push_sample_rate(keys: &mut Vec<u8>, settings: &Settings) {
    if let Some(rate) = settings.sample_rate {
        json::key(keys, "sampling_rate");
        json::number(keys, rate);
    }
}
