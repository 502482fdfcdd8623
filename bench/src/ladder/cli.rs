//! `bench ladder`: reads finished runs of one ladder and writes one output.
//!
//! Apart from the bench's own command line because everything here is the ladder's. Invariant: nothing is measured and no run is changed;
//! the one file written is the one that was named.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{LadderError, Metric, outputs, report};
use crate::traces::cli::Outcome;

/// What `bench ladder` was asked for.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The run files, one a network, which stand side by side in this order.
    #[arg(value_name = "RUN.json", required_unless_present = "leave_one_out")]
    runs: Vec<PathBuf>,
    /// A run in which each lever was taken away from the full set; may be named more than once.
    #[arg(long, value_name = "RUN.json")]
    leave_one_out: Vec<PathBuf>,
    /// What the waterfall shows.
    #[arg(long, value_enum, default_value = "warm")]
    metric: Metric,
    /// How to write it.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Where to write; standard output if left out.
    #[arg(long)]
    output: Option<PathBuf>,
}

/// How the ladder is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal.
    Table,
    /// For a document or a pull request, with every metric's intervals.
    Markdown,
    /// A picture of the waterfall, for light and dark.
    Svg,
}

/// Does what `arguments` ask for.
///
/// # Errors
/// If a run has no ladder, the runs are of different ladders, or the output cannot be written.
pub fn run(arguments: &Arguments) -> Result<Outcome, LadderError> {
    let report = report(&arguments.runs, &arguments.leave_one_out, arguments.metric)?;
    let made = match arguments.format {
        Format::Table => outputs::text(&report),
        Format::Markdown => outputs::markdown(&report),
        Format::Svg => outputs::svg(&report),
    };
    let Some(path) = &arguments.output else { return Ok(Outcome::Text(made)) };
    std::fs::write(path, format!("{made}\n"))
        .map_err(|source| LadderError::Output { path: path.clone(), source })?;
    Ok(Outcome::Written(path.clone()))
}
