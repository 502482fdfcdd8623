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
use lambda_lab::experiment::{Experiment, ExperimentError, LoadProfile};

use crate::bodies::{self, BodiesError};
use crate::control::Control;
use crate::course::Course;
use crate::environment::{self, Environment};
use crate::gate::known::Known;
use crate::gate::{Gate, GateError};
use crate::lab::{Lab, Serve};
use crate::lab_error::LabError;
use crate::last_words::LastWords;
use crate::package::{self, PackageError};
use crate::phases::{self, Driver, PhaseError};
use crate::plan::{self, Step};
use crate::prices::{PriceError, Prices};
use crate::programs::{self, ProgramError};
use crate::progress::{Progress, note};
use crate::recorder::{RecordError, Recorder};
use crate::result_folder::{FolderError, ResultFolder};
use crate::run_file::RunFile;
use crate::sampling::Tracing;
use crate::scenario::{Offered, ScenarioError};
use crate::states::States;
use crate::summary::{Facts, summarise};
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

/// Why a run came to no result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The experiment file.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// A scenario file.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// A program that is not there.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A package that cannot be weighed.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// What is asked of it cannot be answered.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The prices.
    #[error(transparent)]
    Price(#[from] PriceError),
    /// The result folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The lab.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// The variants do not do the same.
    #[error(transparent)]
    Bodies(#[from] BodiesError),
    /// A variant does not answer as it should, and its log says why.
    #[error("{source}; the end of {log}:{end}", log = .log.display())]
    Unhealthy {
        /// What it answered.
        source: Box<BodiesError>,
        /// Its log.
        log: PathBuf,
        /// The log's last lines, each on a line of its own.
        end: String,
    },
    /// A turn.
    #[error(transparent)]
    Phase(#[from] PhaseError),
    /// The samples or records.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A path that is not there.
    #[error("{path}: {source}; name an existing one")]
    Path {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The user ended it.
    #[error("interrupted; what was measured is in {folder}", folder = .folder.display())]
    Interrupted {
        /// 128 plus the signal's number.
        exit_code: u8,
        /// The result folder.
        folder: PathBuf,
    },
    /// It ended early, and its figures could not be written either.
    #[error("{ended}; run.json could not be written either, the table is all there is of the figures")]
    Unwritten {
        /// What ended it.
        ended: Box<RunError>,
    },
}

/// Runs an experiment; `interruption` resolves to an exit code when the user wants it to end.
///
/// # Errors
/// The first thing that kept it from measuring one whole round, in one message that says the mend.
pub async fn run(options: &Options, interruption: impl Future<Output = u8>) -> Result<Outcome, RunError> {
    let experiment = Experiment::load(&options.experiment)?;
    let profile = &loaded_by(experiment.profile(&options.profile)?, &options.scenarios);
    let offered = Offered::of(profile)?;
    programs::check(&experiment, &options.functions_dir)?;
    let functions_dir = absolute(&options.functions_dir)?;
    let package_bytes = weigh(&experiment, &functions_dir)?;
    let names: Vec<String> = experiment.variants.iter().map(|variant| variant.name.clone()).collect();
    let arms = plan::arms(&names, &profile.control);
    Known::planned(&names, profile.has_load(), experiment.is_ladder()).check(&options.gates)?;
    let steps = plan::steps(&arms, profile);
    let prices = Prices::bundled(std::env::consts::ARCH)?;
    let declared = environment::Profile::new(profile, &offered);
    let mut environment = Environment::before(declared, plan::names_in_order(&arms, profile.rounds), prices);
    environment.tracing = options.tracing;
    environment.states = Some(States::declared(profile, !experiment.setup.is_empty()));

    let started = Timestamp::now();
    let folder = ResultFolder::create(&options.results, &experiment.name, started)?;
    let invocations = folder.file("invocations.jsonl");
    let mut recorder = Recorder::create(&folder.file("samples.jsonl"), &invocations)?;
    let mut lab = Lab::spawn(&Serve {
        program: &options.lab,
        experiment: &absolute(&options.experiment)?,
        functions_dir: &functions_dir,
        records: &invocations,
        logs: &folder.file("logs"),
        traces: &folder.file("traces"),
        network: options.network.name(),
        ssm_per_second: None,
    })?;
    let mut course = Course::default();
    let measuring = start_and_measure(
        &mut lab,
        &names,
        (profile, &offered),
        options.tracing,
        &steps,
        &mut recorder,
        &mut course,
    );
    let measured = tokio::select! {
        measured = measuring => measured,
        exit_code = interruption => Err(RunError::Interrupted { exit_code, folder: folder.file("") }),
    };
    let lab_words = lab.words();
    if lab.stop().await.is_none() {
        note("warning: the lab did not end in time and was killed; its servers end with it");
    }
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
            let partial = course.partial(&steps, &error, recorder.measured(), &folder);
            let Some((ready, partial)) = ready.zip(partial) else { return Err(error) };
            (ready, Some(partial), Some(error))
        }
    };

    environment.complete(&ready, course.watch.finish());
    let run_file = summarise(Facts {
        experiment: &experiment,
        profile_name: &options.profile,
        profile,
        offered: &offered,
        started: told(started),
        finished: told(Timestamp::now()),
        environment,
        not_emulated: ready.not_emulated,
        package_bytes: &package_bytes,
        observations: &recorder.into_observations(),
        sent: &sent_bytes(&folder),
        turns: &course.turns,
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

/// `profile` with the load of `scenarios`, if there are any.
fn loaded_by(profile: &LoadProfile, scenarios: &[PathBuf]) -> LoadProfile {
    let mut profile = profile.clone();
    if !scenarios.is_empty() {
        profile.arrivals.clear();
        profile.scenarios = scenarios.to_vec();
    }
    profile
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
    names: &[String],
    (profile, offered): (&LoadProfile, &Offered),
    tracing: Tracing,
    steps: &[Step],
    recorder: &mut Recorder,
    course: &mut Course,
) -> Result<Ready, RunError> {
    note("starting the lab: its servers, the setup functions");
    let begun = Instant::now();
    let control = lab.ready().await?;
    note(&format!("the lab is ready after {:.1} s", begun.elapsed().as_secs_f64()));
    course.ready = Some(control.ready.clone());
    tokio::select! {
        measured = measure(&control, names, (profile, offered), tracing, steps, recorder, course) => measured?,
        ended = lab.ended() => return Err(ended.into()),
    }
    Ok(control.ready)
}

async fn measure(
    control: &Control,
    names: &[String],
    (profile, offered): (&LoadProfile, &Offered),
    tracing: Tracing,
    steps: &[Step],
    recorder: &mut Recorder,
    course: &mut Course,
) -> Result<(), RunError> {
    let addressed = |name: &String| Ok((name.clone(), control.uri(name)?));
    let variants: Vec<(String, Uri)> = names.iter().map(addressed).collect::<Result<_, LabError>>()?;
    bodies::check(&variants).await?;
    note("all variants answer the same");

    let requests = |step: &Step| phases::requests(profile, offered.arrivals.len(), step.turn);
    let progress = Progress::new(profile.rounds, steps.iter().map(requests).sum());
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

pub(crate) fn weigh(experiment: &Experiment, functions_dir: &Path) -> Result<Vec<Option<u64>>, PackageError> {
    let files = experiment.variants.iter().map(|variant| programs::package_file(variant, functions_dir));
    files.map(|file| file.map(|file| package::zipped_bytes(&file)).transpose()).collect()
}

/// The lab is told absolute paths, so that it may run anywhere.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, RunError> {
    std::path::absolute(path).map_err(|source| RunError::Path { path: path.to_owned(), source })
}

/// UTC to the second, ISO 8601.
pub(crate) fn told(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
