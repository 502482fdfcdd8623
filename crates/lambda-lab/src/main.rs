//! `lambda-lab`: serve functions on this machine, and invoke them.
//!
//! Only starts the command line. Invariant: whatever goes wrong is said in one message on standard error, and the exit code tells.

mod cli;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    cli::run().await
}
