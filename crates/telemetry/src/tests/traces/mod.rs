//! Traces as they leave the process; only the way out is memory, or a socket of the test's own.

mod costs;
mod documents;
mod errors;
mod init;
mod losses;
mod oracle;
#[cfg(feature = "otlp")]
mod otlp;
mod rules;
mod together;

use super::*;
use crate::output::Output;
use crate::traces::{Loss, Losses, Memory, Traces, Transport};
use opentelemetry_sdk::trace::SpanData;

const PARENT: &str = "53995c3f42cd8ad8";

/// A process whose tracer is on.
struct Traced {
    process: Process,
    memory: Memory,
}

impl Traced {
    fn start(variables: &[(&str, &str)]) -> Self {
        let settings = settings(variables);
        let memory = Memory::new(settings.style());
        let tracer = Traces::with_transport(settings.service.clone(), Box::new(memory.clone()));
        let written = Written::default();
        let output = Arc::new(Output::new(Box::new(written.clone())));
        let (telemetry, dispatch) = Telemetry::with_tracer(settings, output, Some(tracer));
        Self { process: Process { telemetry, dispatch, written }, memory }
    }

    /// One whole invocation: the handler, and what comes after the response.
    fn invoke(&self, context: &Context, handler: impl Future<Output = ()>) {
        self.process.invoke(context, handler);
        self.send();
    }

    fn send(&self) {
        self.process.send_traces();
    }

    /// What was sent since it was asked for last, in the order of sending; each is valid.
    fn documents(&self) -> Vec<Value> {
        let documents = std::mem::take(&mut *self.memory.documents.lock().unwrap());
        documents.iter().map(|document| rules::checked(document)).collect()
    }

    /// The spans of all documents so far, which are taken with them.
    fn spans(&self) -> Vec<SpanData> {
        self.documents();
        std::mem::take(&mut *self.memory.spans.lock().unwrap())
    }

    /// What would be sent of `spans`, and what would be lost.
    fn documents_of(&self, spans: &[SpanData]) -> (Vec<Value>, Arc<Losses>) {
        let losses = Arc::new(Losses::default());
        assert!(self.memory.send(spans.to_vec(), &losses).is_none());
        (self.documents(), losses)
    }

    fn lost(&self, loss: Loss) -> u64 {
        self.process.telemetry.traces().lost(loss)
    }
}

/// A context whose trace header is `header`.
fn context_of(header: Option<&str>) -> Context {
    let mut context = context();
    context.xray_trace_id = header.map(str::to_owned);
    context
}

/// The document named `name`.
fn named<'a>(documents: &'a [Value], name: &str) -> &'a Value {
    let mut found = documents.iter().filter(|document| document["name"] == name);
    let document = found.next().unwrap_or_else(|| panic!("no {name} in {documents:#?}"));
    assert!(found.next().is_none(), "two of {name} in {documents:#?}");
    document
}

fn names(documents: &[Value]) -> Vec<&str> {
    documents.iter().filter_map(|document| document["name"].as_str()).collect()
}
