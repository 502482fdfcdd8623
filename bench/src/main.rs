//! The command line: parses, wires, prints, and chooses the exit code.
//!
//! Apart from the library so that everything else can be tested. Invariant: exit code 0 means that it did what was asked and no gate
//! failed, whatever the verdict; 1 that it did not, or not to its end, with one message on standard error; 2 is clap's; 3 that a gate
//! failed; 4 that none did, but one could not be judged; 128 plus the signal's number that it was interrupted.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use bench::artillery::ArtilleryError;
use bench::capacity::command::CapacityError;
use bench::gate::{self, FailIf, Judged, known::Known};
use bench::progress::note;
use bench::run::{Options, Outcome as Run, RunError, run};
use bench::run_file::RunFile;
use bench::sampling::Tracing;
use bench::traces::cli::Outcome;
use bench::{artillery, capacity, compare, ladder, table, traces, xray_api};
use clap::{Args, Parser, Subcommand};
use lambda_lab::distance::Network;
use tokio::signal::unix::{SignalKind, signal};

/// Drives the variants of an experiment in paired rounds and says what is faster, by how much, how surely.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts the lab, measures every variant and writes a result folder.
    Run(RunArguments),
    /// Prints the table of a finished run again.
    Table {
        /// The run file, such as bench/results/latest/run.json.
        run_json: PathBuf,
        #[command(flatten)]
        fail_if: FailIf,
    },
    /// Compares two runs, before and after a commit, say: what changed, and what of it is only drift.
    Compare(compare::cli::Arguments),
    /// Runs a load scenario by the built-in engine and by Artillery, or puts a report of Artillery's beside a finished run.
    Artillery(artillery::cli::Arguments),
    /// Takes the traces of a run on AWS back from X-Ray, into the run's folder.
    FetchTraces(xray_api::cli::Arguments),
    /// Raises the rate of each variant until something gives way, in several situations.
    Capacity(capacity::command::Arguments),
    /// Compares the traces of two variants of a finished run, step by step.
    Traces(traces::cli::Arguments),
    /// Shows what each lever of a ladder earned, for runs of it side by side.
    Ladder(ladder::cli::Arguments),
}

#[derive(Debug, Args)]
struct RunArguments {
    /// The experiment file.
    #[arg(long)]
    experiment: PathBuf,
    /// Which of the file's load profiles.
    #[arg(long)]
    profile: String,
    /// The program lambda-lab.
    #[arg(long)]
    lab: PathBuf,
    /// Where the built functions are, as <dir>/<binary>/bootstrap.
    #[arg(long)]
    functions_dir: PathBuf,
    /// How far the dependencies are said to be: loopback, same-az or cross-az. Adds round trips, which the report calls modelled.
    #[arg(long, default_value = "loopback")]
    network: Network,
    /// Which requests are traced: off, sampled (all of the cold phase, one of 20 others), half (about half of the
    /// others) or all.
    #[arg(long, value_enum, default_value_t)]
    tracing: Tracing,
    /// Where to make the result folder.
    #[arg(long, default_value = "bench/results")]
    results: PathBuf,
    #[command(flatten)]
    fail_if: FailIf,
    /// A load scenario in Artillery's YAML, instead of the profile's own arrivals; may be given several times, they run in order.
    #[arg(long = "scenario", value_name = "FILE")]
    scenarios: Vec<PathBuf>,
}

impl From<RunArguments> for Options {
    fn from(arguments: RunArguments) -> Self {
        Self {
            experiment: arguments.experiment,
            profile: arguments.profile,
            lab: arguments.lab,
            functions_dir: arguments.functions_dir,
            network: arguments.network,
            tracing: arguments.tracing,
            results: arguments.results,
            gates: arguments.fail_if.gates,
            scenarios: arguments.scenarios,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run(arguments) => measure(arguments.into()).await,
        Command::Table { run_json, fail_if } => print_again(&run_json, &fail_if),
        Command::Compare(arguments) => compare_runs(&arguments),
        Command::FetchTraces(arguments) => fetch_traces(&arguments).await.map(|()| 0),
        Command::Capacity(arguments) => climb(&arguments).await.map(|()| 0),
        Command::Traces(arguments) => compare_traces(&arguments).map(|()| 0),
        Command::Ladder(arguments) => show_ladder(&arguments).map(|()| 0),
        Command::Artillery(arguments) => beside_artillery(arguments).await.map(|()| 0),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // Each of our messages holds its cause already.
            note(&format!("bench: {error}"));
            let interrupted = error.downcast_ref::<RunError>().and_then(|error| match error {
                RunError::Interrupted { exit_code, .. } => Some(*exit_code),
                _ => None,
            });
            let climb = error.downcast_ref::<CapacityError>().and_then(CapacityError::interrupted);
            ExitCode::from(interrupted.or(climb).unwrap_or(1))
        }
    }
}

/// Tells the exit code, as the next ones do.
async fn measure(options: Options) -> anyhow::Result<u8> {
    let Run { run_file, path, trouble } = run(&options, interruption()?).await?;
    let printed = print(&run_file, &path);
    let code = tell(&gate::in_run::judge(&options.gates, &run_file));
    // What ended the run matters more than what its gates say of the rest.
    trouble.map_or_else(|| printed.map(|()| code), |trouble| Err(trouble.into()))
}

async fn climb(arguments: &capacity::command::Arguments) -> anyhow::Result<()> {
    let (run_file, path) = capacity::command::run(arguments, interruption()?).await?;
    print(&run_file, &path)
}

async fn beside_artillery(arguments: artillery::cli::Arguments) -> anyhow::Result<()> {
    let told = artillery::cli::run(arguments, interruption()?).await;
    // The exit code of an interruption is the run's.
    say(&told.map_err(|error| match error {
        ArtilleryError::Run(error) => anyhow::Error::from(error),
        other => other.into(),
    })?)
}

/// Resolves to an exit code when the user wants it to end. Signals are listened for from now on.
fn interruption() -> anyhow::Result<impl Future<Output = u8>> {
    let mut interrupts = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    let mut terminations = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    Ok(async move {
        tokio::select! {
            _ = interrupts.recv() => 130,
            _ = terminations.recv() => 143,
        }
    })
}

#[cfg(feature = "aws")]
async fn fetch_traces(arguments: &xray_api::cli::Arguments) -> anyhow::Result<()> {
    say(&xray_api::fetch(arguments).await?)
}

#[cfg(not(feature = "aws"))]
async fn fetch_traces(_: &xray_api::cli::Arguments) -> anyhow::Result<()> {
    anyhow::bail!(xray_api::cli::NOT_BUILT)
}

fn print_again(path: &Path, fail_if: &FailIf) -> anyhow::Result<u8> {
    let run_file = RunFile::load(path)?;
    Known::of(&run_file).check(&fail_if.gates)?;
    print(&run_file, path)?;
    Ok(tell(&gate::in_run::judge(&fail_if.gates, &run_file)))
}

fn compare_runs(arguments: &compare::cli::Arguments) -> anyhow::Result<u8> {
    let (text, judged) = compare::cli::run(arguments)?;
    say(&text)?;
    Ok(tell(&judged))
}

/// On standard error, so that standard output is what was asked for and nothing else.
fn tell(judged: &[Judged]) -> u8 {
    for judged in judged {
        note(&judged.to_string());
    }
    gate::exit_code(judged)
}

fn compare_traces(arguments: &traces::cli::Arguments) -> anyhow::Result<()> {
    match traces::cli::run(arguments)? {
        Outcome::Text(text) => say(&text),
        Outcome::Written(path) => say(&path.display().to_string()),
    }
}

fn show_ladder(arguments: &ladder::cli::Arguments) -> anyhow::Result<()> {
    match ladder::cli::run(arguments)? {
        Outcome::Text(text) => say(&text),
        Outcome::Written(path) => say(&path.display().to_string()),
    }
}

fn print(run_file: &RunFile, path: &Path) -> anyhow::Result<()> {
    say(&table::render(run_file, path))
}

/// Not `println!`, which panics when the reader (`head`, say) has gone.
fn say(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(anyhow!("cannot write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}
