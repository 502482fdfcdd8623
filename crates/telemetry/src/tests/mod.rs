//! Tests on real output lines: everything below `start` is as in a function, only the writer is memory.

mod lines;
mod metrics;
mod traces;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use lambda_runtime::{Config, Context};
use serde_json::Value;
use tracing::Dispatch;

use crate::Telemetry;
use crate::settings::Settings;

const REQUEST_ID: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";
const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";
const ARN: &str = "arn:aws:lambda:eu-central-1:123456789012:function:greeting";

/// What was written, one entry a call of `write`.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<String>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(String::from_utf8(bytes.to_vec()).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn settings(variables: &[(&str, &str)]) -> Settings {
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Settings::read(variable, 0.999)
}

/// A telemetry of its own, with the writer that it fills.
struct Process {
    telemetry: Telemetry,
    dispatch: Dispatch,
    written: Written,
}

impl Process {
    fn start(variables: &[(&str, &str)]) -> Self {
        let written = Written::default();
        let (telemetry, dispatch) = Telemetry::new(settings(variables), Box::new(written.clone()));
        Self { telemetry, dispatch, written }
    }

    /// Runs one invocation to its end.
    fn invoke(&self, context: &Context, handler: impl Future<Output = ()>) {
        self.run(self.telemetry.invocation_of(&self.dispatch, context, handler));
    }

    /// Runs a future as the runtime of a function would: this process's subscriber, one thread.
    fn run(&self, future: impl Future<Output = ()>) {
        let _default = tracing::dispatcher::set_default(&self.dispatch);
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future);
    }

    /// What comes after the response. Nothing here has to wait for an answer.
    fn send_traces(&self) {
        let sending = tracing::dispatcher::with_default(&self.dispatch, || self.telemetry.send_traces());
        assert!(sending.is_none());
    }

    /// The lines as they were written; each must have been one write, ended by its only line break.
    fn lines(&self) -> Vec<String> {
        let written = self.written.0.lock().unwrap();
        let lines =
            written.iter().map(|write| write.strip_suffix('\n').expect("a whole line a write").to_owned());
        lines.inspect(|line| assert!(!line.contains('\n'), "two lines in one write: {line}")).collect()
    }

    fn values(&self) -> Vec<Value> {
        self.lines().iter().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect()
    }

    fn logs(&self) -> Vec<Value> {
        self.values().into_iter().filter(|line| line.get("level").is_some()).collect()
    }

    fn blobs(&self) -> Vec<Value> {
        self.values().into_iter().filter(|line| line.get("_aws").is_some()).collect()
    }
}

impl Telemetry {
    fn traces(&self) -> &Arc<crate::traces::Traces> {
        self.shared.traces.as_ref().expect("tracing is on")
    }

    /// `invocation` as a function calls it: with the subscriber in force already.
    fn invocation_of<F: Future>(
        &self,
        dispatch: &Dispatch,
        context: &Context,
        handler: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        tracing::dispatcher::with_default(dispatch, || self.invocation(context, handler))
    }
}

fn context() -> Context {
    let config = Config { function_name: "greeting".to_owned(), memory: 256, ..Config::default() };
    let mut context = Context::default();
    context.request_id = REQUEST_ID.to_owned();
    context.invoked_function_arn = ARN.to_owned();
    context.xray_trace_id = Some(format!("Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1"));
    context.env_config = Arc::new(config);
    context
}

fn context_of_request(request_id: &str) -> Context {
    let mut context = context();
    context.request_id = request_id.to_owned();
    context
}
