//! `bench capacity`, from the settings to the run file.
//!
//! Apart from the situations, which it drives one after the other. Invariant: a situation that was driven to its end is in
//! `run.json`, whatever ends the next one; such a run says that it is partial and why.

use std::future::Future;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use lambda_lab::distance::Network;
use lambda_lab::experiment::{Experiment, ExperimentError};

use crate::environment::Environment;
use crate::plan;
use crate::prepared::{absolute, weigh};
use crate::prices::Prices;
use crate::programs;
use crate::result_folder::ResultFolder;
use crate::run::{RunError, told};
use crate::run_file::{Partial, RunFile};

use super::derived::{self, DerivedError};
use super::judge::Marks;
use super::settings::{Profile, Settings, SettingsError, Situation};
use super::situation::{Common, Measured, measure};
use super::summary::{Facts, profile_numbers, run_file};

/// What the command line says.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// The experiment file; its load profiles are not used.
    #[arg(long)]
    pub experiment: PathBuf,
    /// What limits the variants, and when a rate counts as carried.
    #[arg(long, default_value = "bench/capacity.toml")]
    pub settings: PathBuf,
    /// Which of the settings' profiles.
    #[arg(long)]
    pub profile: String,
    /// The program lambda-lab.
    #[arg(long)]
    pub lab: PathBuf,
    /// Where the built functions are, as `<dir>/<binary>/bootstrap`.
    #[arg(long)]
    pub functions_dir: PathBuf,
    /// How far the dependencies are said to be: loopback, same-az or cross-az. Adds round trips, which the report calls modelled.
    #[arg(long, default_value = "loopback")]
    pub network: Network,
    /// Where to make the result folder.
    #[arg(long, default_value = "bench/results")]
    pub results: PathBuf,
}

/// Why no knee, or not every one, was found.
#[derive(Debug, thiserror::Error)]
pub enum CapacityError {
    /// The settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The experiment cannot be driven to its limits.
    #[error(transparent)]
    Derived(#[from] DerivedError),
    /// What may also end any other run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The same, when some situations were finished.
    #[error("{source}; what was finished before is in {path}", path = .path.display())]
    Partial {
        /// What ended it.
        source: Box<RunError>,
        /// The run file.
        path: PathBuf,
    },
}

impl CapacityError {
    /// The exit code of a run that the user ended.
    pub fn interrupted(&self) -> Option<u8> {
        match self {
            Self::Run(error) => interrupted(error),
            Self::Partial { source, .. } => interrupted(source),
            Self::Settings(_) | Self::Derived(_) => None,
        }
    }
}

fn interrupted(error: &RunError) -> Option<u8> {
    match error {
        RunError::Interrupted { exit_code, .. } => Some(*exit_code),
        _ => None,
    }
}

/// Everything that is known before anything starts.
struct Prepared {
    settings: Settings,
    profile: Profile,
    experiment: Experiment,
    /// The variants to drive.
    names: Vec<String>,
    /// The situations to drive, with the text of each one's experiment file.
    situations: Vec<(Situation, String)>,
    /// Absolute.
    functions_dir: PathBuf,
    package_bytes: Vec<Option<u64>>,
    environment: Environment,
}

/// Drives every variant up to its limits; `interruption` resolves to an exit code when the user wants it to end. Tells the run file
/// and its path.
///
/// # Errors
/// The first thing that keeps it from measuring, in one message that says the mend.
pub async fn run(
    arguments: &Arguments,
    interruption: impl Future<Output = u8>,
) -> Result<(RunFile, PathBuf), CapacityError> {
    let Prepared {
        settings,
        profile,
        experiment,
        names,
        situations,
        functions_dir,
        package_bytes,
        mut environment,
    } = prepare(arguments)?;
    let started = Timestamp::now();
    let folder = ResultFolder::create(&arguments.results, &format!("{}-capacity", experiment.name), started)
        .map_err(RunError::from)?;
    let common = Common {
        lab: &arguments.lab,
        functions_dir: &functions_dir,
        network: &arguments.network,
        names: &names,
        profile: &profile,
        marks: Marks { error_share: settings.error_share, apdex: settings.apdex },
    };
    let (measured, ended) = drive(common, &situations, &folder, interruption).await;
    let ended = match ended {
        Some(error) if measured.is_empty() => return Err(error.into()),
        ended => ended,
    };
    if let Some(last) = measured.last() {
        environment.complete(&last.ready, Vec::new());
    }
    let partial = ended.as_ref().map(|error| Partial {
        reason: format!("{} of {} situations were finished: {error}", measured.len(), situations.len()),
        rounds: profile.rounds,
    });
    let facts = Facts {
        experiment: &experiment,
        profile_name: &arguments.profile,
        profile: &profile,
        settings: &settings,
        names: &names,
        package_bytes: &package_bytes,
        environment,
        started: told(started),
        finished: told(Timestamp::now()),
        partial,
    };
    let run_file = run_file(facts, &measured);
    let path = folder.finish(&run_file).map_err(RunError::from)?;
    match ended {
        None => Ok((run_file, path)),
        Some(source) => Err(CapacityError::Partial { source: Box::new(source), path }),
    }
}

/// Reads and checks everything.
fn prepare(arguments: &Arguments) -> Result<Prepared, CapacityError> {
    let settings = Settings::load(&arguments.settings)?;
    let profile = settings.profile(&arguments.profile)?.clone();
    let text = std::fs::read_to_string(&arguments.experiment)
        .map_err(|source| ExperimentError::Unreadable { path: arguments.experiment.clone(), source })
        .map_err(RunError::from)?;
    let experiment = Experiment::parse(&text, &arguments.experiment).map_err(RunError::from)?;
    let names = derived::variants(&experiment, profile.variants.as_deref())?;
    programs::check(&experiment, &arguments.functions_dir).map_err(RunError::from)?;
    let functions_dir = absolute(&arguments.functions_dir)?;
    let package_bytes = weigh(&experiment, &functions_dir).map_err(RunError::from)?;
    let base = absolute(&arguments.experiment)?.parent().map(Path::to_owned).unwrap_or_default();
    let derive =
        |situation: &Situation| Ok((situation.clone(), derived::text(&text, &base, situation, &names)?));
    let situations =
        settings.situations_of(&profile)?.into_iter().map(derive).collect::<Result<_, DerivedError>>()?;
    let prices = Prices::bundled(std::env::consts::ARCH).map_err(RunError::from)?;
    let order = plan::names_in_order(&plan::arms(&names, &[]), profile.rounds);
    let environment = Environment::before(profile_numbers(&profile), order, prices);
    Ok(Prepared {
        settings,
        profile,
        experiment,
        names,
        situations,
        functions_dir,
        package_bytes,
        environment,
    })
}

/// Drives the situations in order, until one fails; tells those that were finished, and why the next one was not.
async fn drive(
    common: Common<'_>,
    situations: &[(Situation, String)],
    folder: &ResultFolder,
    interruption: impl Future<Output = u8>,
) -> (Vec<Measured>, Option<RunError>) {
    tokio::pin!(interruption);
    let mut finished = Vec::new();
    for (situation, experiment) in situations {
        let own = folder.file(&situation.name);
        match measure(common, situation, experiment, &own, interruption.as_mut()).await {
            Ok(measured) => finished.push(measured),
            Err(error) => return (finished, Some(error)),
        }
    }
    (finished, None)
}
