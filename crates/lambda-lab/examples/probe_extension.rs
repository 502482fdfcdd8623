//! An extension that appends each event it gets to the file `PROBE_EVENTS`, one word a line.
//!
//! Invariant: it is a plain `lambda-extension` extension; nothing in it knows the lab.

use std::fs::OpenOptions;
use std::io::Write;

use lambda_extension::{Error, LambdaEvent, NextEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_extension::run(service_fn(note)).await
}

async fn note(event: LambdaEvent) -> Result<(), Error> {
    let (word, last) = match event.next {
        NextEvent::Invoke(invoke) => (format!("INVOKE {}", invoke.request_id), false),
        NextEvent::Shutdown(shutdown) => (format!("SHUTDOWN {}", shutdown.shutdown_reason), true),
    };
    let path = std::env::var("PROBE_EVENTS")?;
    writeln!(OpenOptions::new().create(true).append(true).open(path)?, "{word}")?;
    if last {
        std::process::exit(0);
    }
    Ok(())
}
