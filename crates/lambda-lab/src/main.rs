//! `lambda-lab serve`: the functions of an experiment, on this machine, until Ctrl-C.
//!
//! Parses, wires and waits; everything else is in the library. Invariant: however it ends, short of being killed, it ends what it
//! started first.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use lambda_lab::distance::Network;
use lambda_lab::experiment::Experiment;
use lambda_lab::lab::{Lab, Options, default_functions_dir};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

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
    /// Serves an experiment's functions until Ctrl-C.
    Serve(Serve),
}

#[derive(Args)]
struct Serve {
    /// The experiment file.
    #[arg(long, default_value = "bench/experiments/stadiums.toml")]
    experiment: PathBuf,
    /// Where built functions lie, each as <binary>/bootstrap.
    #[arg(long)]
    functions_dir: Option<PathBuf>,
    /// Append a JSON line per invocation to this file.
    #[arg(long)]
    records: Option<PathBuf>,
    /// Keep one log file per function in this folder.
    #[arg(long)]
    logs: Option<PathBuf>,
    /// Port of the HTTP API; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How far the dependencies are said to be: loopback, same-az or cross-az. Adds round trips; reports call them modelled.
    #[arg(long, default_value = "loopback")]
    network: Network,
    /// Print the ready line as JSON, for a program that reads it.
    #[arg(long)]
    ready_line: bool,
    /// End when standard input does: the lab then never outlives the program that started it.
    #[arg(long)]
    with_parent: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Serve(serve) = Arguments::parse().command;
    match run(serve).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Each of our messages holds its cause already.
            eprintln!("lambda-lab: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(serve: Serve) -> anyhow::Result<()> {
    let ended = until_ended(serve.with_parent)?;
    let experiment = Experiment::load(&serve.experiment)?;
    let options = Options {
        functions_dir: serve.functions_dir.unwrap_or_else(default_functions_dir),
        records: serve.records,
        logs_dir: serve.logs,
        port: serve.port,
        network: serve.network,
    };
    tokio::pin!(ended);
    let lab = tokio::select! {
        lab = Lab::start(&experiment, &options) => lab?,
        // Dropping the half-started lab ends what it had started.
        () = &mut ended => return Ok(()),
    };
    announce(&lab, serve.ready_line)?;
    tokio::select! {
        () = &mut ended => {}
        () = lab.stop_asked() => {}
    }
    lab.stop().await?;
    Ok(())
}

fn announce(lab: &Lab, ready_line: bool) -> anyhow::Result<()> {
    if ready_line {
        println!("{}", serde_json::to_string(lab.ready())?);
        return Ok(());
    }
    for function in &lab.ready().functions {
        println!("{} {}", function.name, function.url);
        println!("    log: {}", lab.log_path(&function.name).display());
    }
    println!("Ctrl-C ends the lab and every server it started.");
    Ok(())
}

/// Completes on SIGINT, SIGTERM or SIGHUP, and with `with_parent` also at the end of standard input.
fn until_ended(with_parent: bool) -> anyhow::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let parent_gone = Arc::new(Notify::new());
    if with_parent {
        let parent_gone = Arc::clone(&parent_gone);
        std::thread::spawn(move || {
            let mut sink = [0; 64];
            while matches!(std::io::stdin().read(&mut sink), Ok(read) if read > 0) {}
            parent_gone.notify_one();
        });
    }
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
            () = parent_gone.notified() => {}
        }
    })
}
