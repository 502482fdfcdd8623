//! What `bench artillery` is asked for.
//!
//! Apart from the bench's own command line because everything here is Artillery's. Invariant: a report from elsewhere is read without
//! a lab, without Node.js and without changing the run it is put beside.

use std::future::Future;
use std::path::{Path, PathBuf};

use clap::Args;
use lambda_lab::distance::Network;

use super::beside::{NOTES, render};
use super::error::ArtilleryError;
use super::figures::Figures;
use super::measure::{Options, measure};
use super::report;
use crate::run_file::{RunFile, Variant};

/// Runs a load scenario by the built-in engine and by Artillery, or puts a report of Artillery's beside a finished run.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The scenario file, in Artillery's YAML.
    #[arg(long, required_unless_present = "report")]
    scenario: Option<PathBuf>,
    /// The experiment file.
    #[arg(long, required_unless_present = "report")]
    experiment: Option<PathBuf>,
    /// Only this variant.
    #[arg(long)]
    variant: Option<String>,
    /// The program lambda-lab.
    #[arg(long, required_unless_present = "report")]
    lab: Option<PathBuf>,
    /// Where the built functions are, as `<dir>/<binary>/bootstrap`.
    #[arg(long, required_unless_present = "report")]
    functions_dir: Option<PathBuf>,
    /// How far the dependencies are said to be: loopback, same-az or cross-az.
    #[arg(long, default_value = "loopback")]
    network: Network,
    /// Where to make the result folder.
    #[arg(long, default_value = "bench/results")]
    results: PathBuf,
    /// Node.js.
    #[arg(long, default_value = "node")]
    node: PathBuf,
    /// Artillery's program, which `scripts/artillery` installs and prints.
    #[arg(long, required_unless_present = "report")]
    artillery: Option<PathBuf>,
    /// A report that Artillery wrote elsewhere (--output), such as on Fargate or Lambda: nothing is run.
    #[arg(long, requires = "run", conflicts_with_all = ["scenario", "experiment", "lab", "functions_dir", "artillery"])]
    report: Option<PathBuf>,
    /// The folder of the run beside whose load the report is put.
    #[arg(long, requires = "report")]
    run: Option<PathBuf>,
}

/// Does what was asked for; tells the text to print.
///
/// # Errors
/// The first thing that keeps it from a table.
pub async fn run(
    arguments: Arguments,
    interruption: impl Future<Output = u8>,
) -> Result<String, ArtilleryError> {
    if let (Some(report), Some(run)) = (&arguments.report, &arguments.run) {
        return beside_a_run(report, run, arguments.variant.as_deref());
    }
    // clap has refused a command line without them.
    let options = Options {
        scenario: arguments.scenario.unwrap_or_default(),
        experiment: arguments.experiment.unwrap_or_default(),
        variant: arguments.variant,
        lab: arguments.lab.unwrap_or_default(),
        functions_dir: arguments.functions_dir.unwrap_or_default(),
        network: arguments.network,
        results: arguments.results,
        node: arguments.node,
        artillery: arguments.artillery.unwrap_or_default(),
    };
    measure(&options, interruption).await
}

/// The report at `report` beside the load of the run in the folder `run`.
fn beside_a_run(report: &Path, run: &Path, variant: Option<&str>) -> Result<String, ArtilleryError> {
    let theirs = report::read(report)?;
    let path = run.join("run.json");
    let run = RunFile::load(&path)?;
    let chosen: Vec<&Variant> =
        run.variants.iter().filter(|found| variant.is_none_or(|name| found.name == name)).collect();
    if let (Some(asked), true) = (variant, chosen.is_empty()) {
        let known = run.variants.iter().map(|variant| variant.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(ArtilleryError::NoSuchVariant { asked: asked.to_owned(), place: path, known });
    }
    let tables: Vec<String> = chosen
        .iter()
        .filter_map(|variant| {
            let ours = Figures::of_variant(variant)?;
            Some(render(
                &variant.name,
                &[("ours, from intended", &ours), ("the report, from sending", &theirs)],
            ))
        })
        .collect();
    if tables.is_empty() {
        return Err(ArtilleryError::NoLoad { path });
    }
    let rounds = run.environment.profile.rounds;
    Ok(format!(
        "{}\n\nThe run's figures are of {rounds} rounds together, profile {}, on {}; the report says nothing of its target.\n{NOTES}",
        tables.join("\n\n"),
        run.profile,
        run.environment.target,
    ))
}
