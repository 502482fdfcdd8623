//! `--follow`: a line per invocation, for a person who watches.
//!
//! Apart because it is pure but for the printing. It says what a REPORT line says, in a width that fits a terminal. Invariant: one
//! line an invocation, in the order in which they ended.

use std::io::Write;

use lambda_lab::records::{Invocation, Status};
use tokio::sync::mpsc::UnboundedReceiver;

/// Prints a line for each of `invocations` until the lab is gone, or nobody reads any more.
pub(super) async fn print(mut invocations: UnboundedReceiver<Invocation>) {
    while let Some(invocation) = invocations.recv().await {
        if writeln!(std::io::stdout(), "{}", line(&invocation)).is_err() {
            return;
        }
    }
}

fn line(invocation: &Invocation) -> String {
    let Invocation { function, request_id, duration_ms, billed_ms, memory_mb, .. } = invocation;
    let mut line = format!("{function} {request_id} {duration_ms:.2} ms, billed {billed_ms} ms");
    if let Some(init_ms) = invocation.init_ms {
        line.push_str(&format!(", init {init_ms:.2} ms"));
    }
    if let Some(max_memory_mb) = invocation.max_memory_mb {
        line.push_str(&format!(", {:.0} of {memory_mb} MB", max_memory_mb.ceil()));
    }
    match (invocation.status, &invocation.error_type) {
        (Status::Success, _) => {}
        (Status::Timeout, _) => line.push_str(", timed out"),
        (Status::Error, error_type) => {
            line.push_str(&format!(", failed: {}", error_type.as_deref().unwrap_or("Runtime.Unknown")));
        }
    }
    line
}
