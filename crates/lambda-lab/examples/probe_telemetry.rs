//! An extension that subscribes to all telemetry and appends what it could read to the file `PROBE_TELEMETRY`, an event a line.
//!
//! Invariant: it is a plain `lambda-extension` extension; nothing in it knows the lab.

use std::fs::OpenOptions;
use std::io::Write;

use lambda_extension::{Error, Extension, LambdaTelemetry, SharedService, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    Extension::new()
        .with_telemetry_types(&["platform", "function", "extension"])
        .with_telemetry_processor(SharedService::new(service_fn(note)))
        .run()
        .await
}

async fn note(events: Vec<LambdaTelemetry>) -> Result<(), Error> {
    let path = std::env::var("PROBE_TELEMETRY")?;
    let lines: String = events.iter().map(|event| format!("{:?}\n", event.record)).collect();
    OpenOptions::new().create(true).append(true).open(path)?.write_all(lines.as_bytes())?;
    Ok(())
}
