//! `bench traces`: reads a run's traces and writes one output.
//!
//! Apart from the bench's own command line because everything here is the traces'. Invariant: nothing is measured and nothing of
//! the run is changed; the one file written is the one that was named.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::traces::error::TracesError;
use crate::traces::otlp::Exported;
use crate::traces::read::{Run, read};
use crate::traces::report::{Report, compare, trace};
use crate::traces::{chrome, html, markdown, otlp, text};

/// What `bench traces` was asked for.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The folder of the run.
    #[arg(default_value = "bench/results/latest")]
    run: PathBuf,
    /// The variant compared with; the experiment's first that has traces, if left out.
    #[arg(long)]
    from: Option<String>,
    /// The variant compared; the experiment's last that has traces, if left out.
    #[arg(long)]
    to: Option<String>,
    /// How to write the comparison.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Writes the traces of the chosen pairs for other tools, instead of the comparison.
    #[arg(long, value_enum, conflicts_with = "format")]
    export: Option<Export>,
    /// Exports every trace of both variants, not only the chosen pairs.
    #[arg(long, requires = "export")]
    all: bool,
    /// Where to write; standard output if left out.
    #[arg(long)]
    output: Option<PathBuf>,
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
    /// A page that works offline.
    Html,
}

/// For which tools the traces are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Export {
    /// OpenTelemetry's: Jaeger and others.
    OtlpJson,
    /// Perfetto's and chrome://tracing.
    Chrome,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The run's traces.
    #[error(transparent)]
    Traces(#[from] TracesError),
    /// The output.
    #[error("{path}: {source}; name a file you may write with --output")]
    Output {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The output could not be made into JSON.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// For standard output.
    Text(String),
    /// Written here.
    Written(PathBuf),
}

/// Does what `arguments` ask for.
///
/// # Errors
/// If the run has no traces to compare, or the output cannot be written.
pub fn run(arguments: &Arguments) -> Result<Outcome, CliError> {
    let run = read(&arguments.run)?;
    let report = compare(&run, &arguments.run, arguments.from.as_deref(), arguments.to.as_deref())?;
    let made = match arguments.export {
        Some(Export::OtlpJson) => serde_json::to_string(&otlp_export(&run, &report, arguments.all))?,
        Some(Export::Chrome) => serde_json::to_string(&chrome_export(&run, &report, arguments.all))?,
        None => match arguments.format {
            Format::Table => text::render(&report),
            Format::Json => serde_json::to_string_pretty(&report)?,
            Format::Markdown => markdown::render(&report),
            Format::Html => html::render(&report),
        },
    };
    match &arguments.output {
        None => Ok(Outcome::Text(made)),
        Some(path) => write(path, &made).map(|()| Outcome::Written(path.clone())),
    }
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    std::fs::write(path, format!("{text}\n"))
        .map_err(|source| CliError::Output { path: path.to_owned(), source })
}

fn otlp_export(run: &Run, report: &Report, all: bool) -> serde_json::Value {
    let segments = |trace_id| run.segments.get(trace_id).map_or(&[][..], Vec::as_slice);
    let variants = [report.from.as_str(), report.to.as_str()];
    let (mut exported, mut known) = (Vec::new(), HashSet::new());
    // One invocation may stand for two percentiles, and one trace may hold two invocations; its spans must not come twice.
    let mut add = |function, trace_id| {
        if known.insert(trace_id) {
            exported.push(Exported { function, trace_id, segments: segments(trace_id) });
        }
    };
    if all {
        let wanted = run.traced().filter(|seen| variants.contains(&seen.function.as_str()));
        wanted.for_each(|seen| add(seen.function.as_str(), seen.trace_id.as_str()));
    } else {
        let chosen = report.traces.iter().flat_map(|(from, to)| [from, to]);
        chosen.for_each(|trace| add(trace.function.as_str(), trace.trace_id.as_str()));
    }
    otlp::request(&exported)
}

fn chrome_export(run: &Run, report: &Report, all: bool) -> serde_json::Value {
    let mut variants = vec![report.from.as_str(), report.to.as_str()];
    variants.dedup();
    if !all {
        return chrome::events(&variants, &chrome::in_pairs(&report.traces));
    }
    let wanted = run.traced().filter(|seen| variants.contains(&seen.function.as_str()));
    let traces: Vec<_> = wanted.map(|seen| trace(run, seen)).collect();
    chrome::events(&variants, &chrome::as_it_happened(&traces))
}
