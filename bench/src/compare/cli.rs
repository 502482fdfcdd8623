//! `bench compare`: reads two runs, writes one output, and judges the gates.
//!
//! Apart from the bench's own command line because everything here is the comparison's. Invariant: nothing is measured, nothing
//! is written to disk, and a gate that names what is not there is refused before anything is printed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::compare::error::CompareError;
use crate::compare::read::read;
use crate::compare::report::compare;
use crate::compare::{markdown, text};
use crate::gate::between_runs;
use crate::gate::{FailIf, GateError, Judged};

/// What `bench compare` was asked for.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The run that is 1: a run.json, or the folder it is in.
    from: PathBuf,
    /// The run compared with it: a run.json, or the folder it is in.
    to: PathBuf,
    /// The variant that tells the drift between the runs, which the others are related to; the first of both if left out.
    #[arg(long)]
    reference: Option<String>,
    /// How to write the comparison.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    fail_if: FailIf,
}

/// How the comparison is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal.
    Table,
    /// For programs.
    Json,
    /// For a pull request.
    Markdown,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The runs.
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// A gate.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The output could not be made into JSON.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Does what `arguments` ask for: tells the text for standard output, and what the gates said.
///
/// # Errors
/// If a run cannot be compared, or a gate names what the runs do not have.
pub fn run(arguments: &Arguments) -> Result<(String, Vec<Judged>), CliError> {
    let (from, from_path) = read(&arguments.from)?;
    let (to, to_path) = read(&arguments.to)?;
    let report = compare((&from, &from_path), (&to, &to_path), arguments.reference.as_deref())?;
    let judged = between_runs::judge(&arguments.fail_if.gates, &from, &to, &report)?;
    let made = match arguments.format {
        Format::Table => text::render(&report),
        Format::Json => serde_json::to_string_pretty(&report)?,
        Format::Markdown => markdown::render(&report),
    };
    Ok((made, judged))
}
