//! One scenario file, by both engines, against one lab.
//!
//! Apart from the run because there is no plan to it: each variant, first the built-in engine, then Artillery, each from no sandbox and
//! an empty cache. Invariant: the lab and Artillery are ended however this ends, and what both wrote stays in the folder.

use std::future::Future;
use std::path::{Path, PathBuf};

use http::Uri;
use jiff::Timestamp;
use lambda_lab::distance::Network;
use lambda_lab::experiment::{Experiment, LoadProfile};

use super::beside::{NOTES, render};
use super::error::ArtilleryError;
use super::figures::Figures;
use super::process::Artillery;
use super::report;
use crate::bodies;
use crate::control::Control;
use crate::lab::{Lab, Serve};
use crate::lab_error::LabError;
use crate::observation::Observation;
use crate::phases::Driver;
use crate::plan::{Step, Turn};
use crate::prepared::absolute;
use crate::programs;
use crate::progress::{Progress, note};
use crate::recorder::Recorder;
use crate::result_folder::ResultFolder;
use crate::run::RunError;
use crate::sampling::Tracing;
use crate::scenario::{Offered, ScenarioError};

/// What to run and where things are.
#[derive(Clone, Debug)]
pub struct Options {
    /// The scenario file.
    pub scenario: PathBuf,
    /// The experiment file.
    pub experiment: PathBuf,
    /// Only this variant.
    pub variant: Option<String>,
    /// The program `lambda-lab`.
    pub lab: PathBuf,
    /// Where the built functions are.
    pub functions_dir: PathBuf,
    /// How far the dependencies are said to be.
    pub network: Network,
    /// Where the result folders are made.
    pub results: PathBuf,
    /// Node.js.
    pub node: PathBuf,
    /// Artillery's own program.
    pub artillery: PathBuf,
}

/// Runs the scenario by both engines; `interruption` resolves to an exit code when the user wants it to end. Tells the tables.
///
/// # Errors
/// The first thing that keeps it from a table.
pub async fn measure(
    options: &Options,
    interruption: impl Future<Output = u8>,
) -> Result<String, ArtilleryError> {
    let experiment = Experiment::load(&options.experiment).map_err(RunError::from)?;
    let names = chosen(&experiment, options)?;
    programs::check(&experiment, &options.functions_dir).map_err(RunError::from)?;
    let offered = offered(&options.scenario)?;
    let name = format!("{}-artillery", experiment.name);
    let folder = ResultFolder::create(&options.results, &name, Timestamp::now()).map_err(RunError::from)?;
    let invocations = folder.file("invocations.jsonl");
    let recorder = Recorder::create(&folder.file("samples.jsonl"), &invocations).map_err(RunError::from)?;
    let mut lab = Lab::spawn(&Serve {
        program: &options.lab,
        experiment: &absolute(&options.experiment)?,
        functions_dir: &absolute(&options.functions_dir)?,
        records: &invocations,
        logs: &folder.file("logs"),
        traces: &folder.file("traces"),
        network: options.network.name(),
        ssm_per_second: None,
    })
    .map_err(RunError::from)?;
    let artillery = Artillery {
        node: options.node.clone(),
        program: absolute(&options.artillery)?,
        folder: folder.file(""),
    };
    let both =
        Both { names: &names, scenario: &absolute(&options.scenario)?, offered: offered.as_ref(), artillery };
    let measured = tokio::select! {
        measured = both.against(&mut lab, recorder) => measured,
        exit_code = interruption => Err(RunError::Interrupted { exit_code, folder: folder.file("") }.into()),
    };
    lab.end().await;
    Ok(format!("{}\n\n{NOTES}\nEverything: {}", measured?, folder.file("").display()))
}

/// The variants to load.
fn chosen(experiment: &Experiment, options: &Options) -> Result<Vec<String>, ArtilleryError> {
    let names: Vec<String> = experiment.variants.iter().map(|variant| variant.name.clone()).collect();
    match &options.variant {
        None => Ok(names),
        Some(asked) if names.contains(asked) => Ok(vec![asked.clone()]),
        Some(asked) => Err(ArtilleryError::NoSuchVariant {
            asked: asked.clone(),
            place: options.experiment.clone(),
            known: names.join(", "),
        }),
    }
}

/// What the built-in engine sends; none where only Artillery understands the file.
fn offered(scenario: &Path) -> Result<Option<Offered>, RunError> {
    match Offered::of(&profile(scenario)) {
        Ok(offered) => Ok(Some(offered)),
        Err(error @ ScenarioError::Unsupported { .. }) => {
            note(&format!("{error}; so Artillery runs alone"));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// A profile that has no more than the load of `scenario`.
fn profile(scenario: &Path) -> LoadProfile {
    LoadProfile {
        rounds: 1,
        cold_starts: 0,
        warm_up_requests: 0,
        warm_requests: 0,
        control: Vec::new(),
        arrivals: Vec::new(),
        scenarios: vec![scenario.to_owned()],
    }
}

struct Both<'a> {
    names: &'a [String],
    scenario: &'a Path,
    offered: Option<&'a Offered>,
    artillery: Artillery,
}

impl Both<'_> {
    async fn against(&self, lab: &mut Lab, recorder: Recorder) -> Result<String, ArtilleryError> {
        note("starting the lab: its servers, the setup functions");
        let control = lab.ready().await.map_err(RunError::from)?;
        tokio::select! {
            tables = self.tables(&control, recorder) => tables,
            ended = lab.ended() => Err(RunError::from(ended).into()),
        }
    }

    async fn tables(&self, control: &Control, mut recorder: Recorder) -> Result<String, ArtilleryError> {
        let addressed = |name: &String| Ok((name.clone(), control.uri(name)?));
        let variants: Vec<(String, Uri)> =
            self.names.iter().map(addressed).collect::<Result<_, LabError>>().map_err(RunError::from)?;
        bodies::check(&variants).await.map_err(RunError::from)?;
        let mut reports = Vec::new();
        for (name, uri) in &variants {
            if let Some(offered) = self.offered {
                note(&format!("{name}: the built-in engine"));
                ours(control, &variants, name, (self.scenario, offered), &mut recorder).await?;
            }
            note(&format!("{name}: Artillery"));
            control.begin_from_nothing().await.map_err(RunError::from)?;
            let target = uri.to_string();
            reports.push(self.artillery.run(self.scenario, target.trim_end_matches('/'), name).await?);
        }
        let observations = recorder.into_observations();
        let tables =
            self.names.iter().zip(&reports).map(|(name, report)| self.table(name, report, &observations));
        Ok(tables.collect::<Result<Vec<_>, _>>()?.join("\n\n"))
    }

    fn table(
        &self,
        name: &str,
        report: &Path,
        observations: &[Observation],
    ) -> Result<String, ArtilleryError> {
        let theirs = report::read(report)?;
        let Some(offered) = self.offered else {
            return Ok(render(name, &[("Artillery", &theirs)]));
        };
        let own: Vec<&Observation> = observations.iter().filter(|seen| seen.sample.variant == name).collect();
        let [intended, sent] = Figures::of_load(&own, offered);
        Ok(render(
            name,
            &[
                ("ours, from intended", &intended),
                ("ours, from sending", &sent),
                ("Artillery, from sending", &theirs),
            ],
        ))
    }
}

/// One load turn of the built-in engine.
async fn ours(
    control: &Control,
    variants: &[(String, Uri)],
    name: &str,
    (scenario, offered): (&Path, &Offered),
    recorder: &mut Recorder,
) -> Result<(), RunError> {
    let profile = profile(scenario);
    let progress = Progress::new(1, offered.arrivals.len() as u64);
    let driver =
        Driver { control, variants, profile: &profile, offered, tracing: Tracing::Off, progress: &progress };
    let step = Step { round: 1, variant: name.to_owned(), function: name.to_owned(), turn: Turn::Load };
    driver.drive(&step, recorder).await?;
    recorder.settle(control).await?;
    progress.clear();
    Ok(())
}
