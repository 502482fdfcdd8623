//! The command line: its words, and which command they mean.
//!
//! Apart from the library, which knows no terminal. One file a command; what several need has a file of its own. Invariant: standard
//! output carries only what a program may read (addresses, invocation lines, answers); everything said to a person goes to
//! standard error.

mod ending;
mod follow;
mod functions;
mod invoke;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "lambda-lab",
    about = "A local Lambda service: real processes, real PostgreSQL, PgBouncer and Redis."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves an experiment's functions, or those named with --function, until Ctrl-C.
    Serve(Box<serve::Serve>),
    /// Invokes a function of a running lab, as `aws lambda invoke` does.
    Invoke(invoke::Invoke),
}

/// Does what the command line says.
pub(crate) async fn run() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Serve(serve) => serve::run(*serve).await.map(|()| ExitCode::SUCCESS),
        // A client's errors are chains; the lab's own messages hold their causes already.
        Command::Invoke(invoke) => invoke::run(invoke).await.map_err(|error| anyhow::anyhow!("{error:#}")),
    };
    done.unwrap_or_else(|error| {
        eprintln!("lambda-lab: {error}");
        ExitCode::FAILURE
    })
}
