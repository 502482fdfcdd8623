//! One situation: its experiment, its lab, its climbs.
//!
//! Apart from the command, which has several of them. Each has a folder of its own with everything its lab was told and left, so a
//! sample needs no word about its situation. Invariant: the lab is stopped however the situation ends, and what was measured is in
//! its folder.

use std::future::Future;
use std::path::{Path as FilePath, PathBuf};
use std::time::{Duration, Instant};

use lambda_lab::control::Ready;
use lambda_lab::distance::Network;

use crate::bodies;
use crate::control::Control;
use crate::lab::{Lab, Serve};
use crate::plan;
use crate::progress::{note, spoken};
use crate::recorder::{RecordError, Recorder};
use crate::run::{RunError, with_log};

use super::climb::Path;
use super::drive::Climber;
use super::judge::Marks;
use super::knees::Climbed;
use super::settings::{Profile, Situation};
use super::summary::Tally;

/// What is the same in all situations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Common<'a> {
    /// The program `lambda-lab`.
    pub(super) lab: &'a FilePath,
    /// Where the built functions are, absolute.
    pub(super) functions_dir: &'a FilePath,
    pub(super) network: &'a Network,
    /// The variants to drive.
    pub(super) names: &'a [String],
    pub(super) profile: &'a Profile,
    pub(super) marks: Marks,
}

/// A situation that was driven to its end.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) situation: Situation,
    /// In the order of their rounds.
    pub(super) climbs: Vec<Climbed>,
    pub(super) tally: Tally,
    pub(super) ready: Ready,
}

/// Drives `situation`, whose experiment file's text is `experiment`, in `folder`; `interruption` resolves when it is to end.
///
/// # Errors
/// The first thing that keeps it from measuring.
pub(super) async fn measure(
    common: Common<'_>,
    situation: &Situation,
    experiment: &str,
    folder: &FilePath,
    interruption: impl Future<Output = u8>,
) -> Result<Measured, RunError> {
    let files = prepare(experiment, folder)
        .map_err(|source| RecordError::File { path: folder.to_owned(), source })?;
    let mut recorder = Recorder::create(&folder.join("samples.jsonl"), &files.invocations)?;
    let mut lab = Lab::spawn(&Serve {
        program: common.lab,
        experiment: &files.experiment,
        functions_dir: common.functions_dir,
        records: &files.invocations,
        logs: &folder.join("logs"),
        traces: &folder.join("traces"),
        network: common.network.name(),
        ssm_per_second: situation.ssm_per_second,
    })?;
    let measured = tokio::select! {
        measured = start_and_climb(&mut lab, common, situation, &mut recorder) => measured,
        exit_code = interruption => Err(RunError::Interrupted { exit_code, folder: folder.to_owned() }),
    };
    lab.end().await;
    if let Err(error) = recorder.rescue() {
        note(&format!("warning: not all that was measured is on disk: {error}"));
    }
    measured.map_err(|error| with_log(error, &folder.join("logs")))
}

/// What the lab is told.
struct Files {
    experiment: PathBuf,
    invocations: PathBuf,
}

fn prepare(experiment: &str, folder: &FilePath) -> std::io::Result<Files> {
    std::fs::create_dir_all(folder)?;
    let file = folder.join("experiment.toml");
    std::fs::write(&file, experiment)?;
    Ok(Files { experiment: file, invocations: folder.join("invocations.jsonl") })
}

async fn start_and_climb(
    lab: &mut Lab,
    common: Common<'_>,
    situation: &Situation,
    recorder: &mut Recorder,
) -> Result<Measured, RunError> {
    note(&format!("{}: starting the lab", situation.name));
    let control = lab.ready().await?;
    let mut tally = Tally::default();
    let climbs = tokio::select! {
        climbs = climb(&control, common, situation, recorder, &mut tally) => climbs?,
        ended = lab.ended() => return Err(ended.into()),
    };
    Ok(Measured { situation: situation.clone(), climbs, tally, ready: control.ready })
}

async fn climb(
    control: &Control,
    common: Common<'_>,
    situation: &Situation,
    recorder: &mut Recorder,
    tally: &mut Tally,
) -> Result<Vec<Climbed>, RunError> {
    let Common { names, profile, marks, .. } = common;
    let mut variants = Vec::with_capacity(names.len());
    for name in names {
        variants.push((name.clone(), control.uri(name)?));
    }
    bodies::check(&variants).await?;
    let path = Path {
        start: f64::from(situation.start_rate.get()),
        factor: profile.factor,
        ceiling: f64::from(situation.ceiling.get()),
        bisections: profile.bisections,
    };
    let climber = Climber { control, profile, situation, path, marks };
    let mut climbs = Vec::new();
    let order = plan::names_in_order(&plan::arms(names, &[]), profile.rounds);
    for (round, order) in (1..).zip(order) {
        for variant in &order {
            let begun = Instant::now();
            let climbed = climber.climb(variant, round, recorder, tally).await?;
            note(&told(situation, round, profile.rounds, &climbed, begun.elapsed()));
            climbs.push(climbed);
        }
    }
    Ok(climbs)
}

fn told(situation: &Situation, round: u32, rounds: u32, climbed: &Climbed, took: Duration) -> String {
    let knee = climbed.knee.map_or_else(|| "no rate".to_owned(), |rate| format!("{rate:.0} requests/s"));
    format!(
        "{}, round {round}/{rounds}, {}: {knee}, ended by {}; {} steps in {}",
        situation.name,
        climbed.variant,
        climbed.ending.word(),
        climbed.steps.len(),
        spoken(took)
    )
}
