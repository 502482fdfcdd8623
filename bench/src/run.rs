//! `bench run`, from the experiment file to the run file.
//!
//! Apart from `main` so that tests can read what happens in which order; each line below is one module's work. Invariant: once
//! the lab has been started it is stopped, however the run ends; whatever was measured is on disk, and whole rounds have their
//! figures, however many there are.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Instant;

use http::Uri;
use jiff::Timestamp;
use lambda_lab::control::Ready;
use lambda_lab::distance::Network;

use crate::bodies;
use crate::control::Control;
use crate::course::Course;
use crate::gate::Gate;
use crate::lab::{Lab, Serve};
use crate::lab_error::LabError;
use crate::last_words::LastWords;
use crate::phases::{self, Driver};
use crate::plan::Step;
use crate::prepared::{Prepared, absolute, prepare};
use crate::progress::{Progress, note};
use crate::recorder::Recorder;
use crate::result_folder::ResultFolder;
pub use crate::run_error::RunError;
use crate::run_file::RunFile;
use crate::sampling::Tracing;
use crate::summary::{Facts, summarise};
use crate::traces::in_run::compared;
use crate::tracing_cost::SentBytes;

/// How much of a function's log an error quotes.
const LOG_LINES: usize = 6;

/// What to run and where things are.
#[derive(Clone, Debug)]
pub struct Options {
    /// The experiment file.
    pub experiment: PathBuf,
    /// The load profile's name.
    pub profile: String,
    /// The program `lambda-lab`.
    pub lab: PathBuf,
    /// Where the built functions are: `<dir>/<binary>/bootstrap`.
    pub functions_dir: PathBuf,
    /// How far the dependencies are said to be.
    pub network: Network,
    /// Which requests are traced.
    pub tracing: Tracing,
    /// Where the result folders are made.
    pub results: PathBuf,
    /// What will be asked of the comparisons.
    pub gates: Vec<Gate>,
    /// Scenario files that make the load instead of the profile's own arrivals; none for those.
    pub scenarios: Vec<PathBuf>,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// Its figures: of the whole run, or of the whole rounds before it ended.
    pub run_file: RunFile,
    /// Where they are; the result folder, where they could not be written.
    pub path: PathBuf,
    /// Why it ended early, or why its figures could not be written.
    pub trouble: Option<RunError>,
}

/// Runs an experiment; `interruption` resolves to an exit code when the user wants it to end.
///
/// # Errors
/// The first thing that kept it from measuring one whole round, in one message that says the mend.
pub async fn run(options: &Options, interruption: impl Future<Output = u8>) -> Result<Outcome, RunError> {
    let prepared = prepare(options)?;
    let started = Timestamp::now();
    let folder = ResultFolder::create(&options.results, &prepared.experiment.name, started)?;
    let invocations = folder.file("invocations.jsonl");
    let mut recorder = Recorder::create(&folder.file("samples.jsonl"), &invocations)?;
    let mut lab = Lab::spawn(&Serve {
        program: &options.lab,
        experiment: &absolute(&options.experiment)?,
        functions_dir: &prepared.functions_dir,
        records: &invocations,
        logs: &folder.file("logs"),
        traces: &folder.file("traces"),
        network: options.network.name(),
        ssm_per_second: None,
    })?;
    let mut course = Course::default();
    let measured = tokio::select! {
        measured = start_and_measure(&mut lab, &prepared, &mut recorder, &mut course) => measured,
        exit_code = interruption => Err(RunError::Interrupted { exit_code, folder: folder.file("") }),
    };
    let lab_words = lab.words();
    lab.end().await;
    if let Err(error) = recorder.rescue() {
        note(&format!("warning: not all that was measured is on disk: {error}"));
    }
    let (ready, partial, ended) = match (measured, course.ready.take()) {
        (Ok(ready), _) => {
            tell(&lab_words);
            (ready, None, None)
        }
        (Err(error), ready) => {
            let error = with_log(error, &folder.file("logs"));
            let partial = course.partial(&prepared.steps, &error, recorder.measured(), &folder);
            let Some((ready, partial)) = ready.zip(partial) else { return Err(error) };
            (ready, Some(partial), Some(error))
        }
    };

    let mut environment = prepared.environment;
    environment.complete(&ready, course.watch.finish());
    let traces = compared(&folder.file(""), &prepared.names, environment.tracing);
    let run_file = summarise(Facts {
        experiment: &prepared.experiment,
        profile_name: &options.profile,
        profile: &prepared.profile,
        offered: &prepared.offered,
        started: told(started),
        finished: told(Timestamp::now()),
        environment,
        not_emulated: ready.not_emulated,
        package_bytes: &prepared.package_bytes,
        observations: &recorder.into_observations(),
        sent: &sent_bytes(&folder),
        turns: &course.turns,
        traces,
        partial,
    });
    Ok(conclude(run_file, &folder, ended))
}

/// What the lab said although nothing failed: that a trace could not be written, say. An error would have quoted it.
fn tell(lab_words: &LastWords) {
    if let Some(words) = lab_words.told() {
        note(&format!("the lab said:\n{words}"));
    }
}

/// Writes the run file; where that fails, its figures are not lost: they are told all the same.
fn conclude(run_file: RunFile, folder: &ResultFolder, ended: Option<RunError>) -> Outcome {
    let (path, unwritten) = match folder.finish(&run_file) {
        Ok(path) => (path, None),
        Err(error) => (folder.file(""), Some(error)),
    };
    let trouble = match (ended, unwritten) {
        (Some(ended), Some(_)) => Some(RunError::Unwritten { ended: Box::new(ended) }),
        (ended, unwritten) => ended.or_else(|| unwritten.map(RunError::from)),
    };
    Outcome { run_file, path, trouble }
}

/// A run without them has its figures all the same.
fn sent_bytes(folder: &ResultFolder) -> SentBytes {
    let documents = folder.file("traces").join("documents.jsonl");
    SentBytes::read(&documents).unwrap_or_else(|error| {
        note(&format!("warning: {error}; what the traces weigh is not known"));
        SentBytes::default()
    })
}

async fn start_and_measure(
    lab: &mut Lab,
    prepared: &Prepared,
    recorder: &mut Recorder,
    course: &mut Course,
) -> Result<Ready, RunError> {
    note("starting the lab: its servers, the setup functions");
    let begun = Instant::now();
    let control = lab.ready().await?;
    note(&format!("the lab is ready after {:.1} s", begun.elapsed().as_secs_f64()));
    course.ready = Some(control.ready.clone());
    tokio::select! {
        measured = measure(&control, prepared, recorder, course) => measured?,
        ended = lab.ended() => return Err(ended.into()),
    }
    Ok(control.ready)
}

async fn measure(
    control: &Control,
    prepared: &Prepared,
    recorder: &mut Recorder,
    course: &mut Course,
) -> Result<(), RunError> {
    let Prepared { names, profile, offered, steps, environment, .. } = prepared;
    let addressed = |name: &String| Ok((name.clone(), control.uri(name)?));
    let variants: Vec<(String, Uri)> = names.iter().map(addressed).collect::<Result<_, LabError>>()?;
    bodies::check(&variants).await?;
    note("all variants answer the same");

    let requests = |step: &Step| phases::requests(profile, offered.arrivals.len(), step.turn);
    let progress = Progress::new(profile.rounds, steps.iter().map(requests).sum());
    let tracing = environment.tracing;
    let driver = Driver { control, variants: &variants, profile, offered, tracing, progress: &progress };
    let mut seeded = 0;
    for step in steps {
        if step.round != seeded {
            seeded = step.round;
            driver.begin_round().await?;
        }
        course.watch.enter(step.round);
        progress.begin(step);
        let begun = Instant::now();
        let surroundings = driver.drive(step, recorder).await?;
        recorder.settle(control).await?;
        progress.end(step, requests(step), begun);
        course.turns.push((step.clone(), surroundings));
    }
    progress.clear();
    Ok(())
}

/// A variant that fails the first request usually lacks a setting; its own log names it.
pub(crate) fn with_log(error: RunError, logs: &Path) -> RunError {
    let RunError::Bodies(source) = error else { return error };
    let log = source.variant().map(|variant| logs.join(format!("{variant}.log")));
    let Some((log, text)) = log.and_then(|log| Some((log.clone(), std::fs::read_to_string(log).ok()?)))
    else {
        return RunError::Bodies(source);
    };
    let lines: Vec<_> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
    RunError::Unhealthy {
        source: Box::new(source),
        log,
        end: last.iter().map(|line| format!("\n    {line}")).collect(),
    }
}

/// UTC to the second, ISO 8601.
pub(crate) fn told(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
