//! Everything that can be wrong, looked at before it takes time.
//!
//! Apart from the run because nothing here starts or writes anything. Invariant: what passes can be measured, as far as files, names and
//! programs tell.

use std::path::{Path, PathBuf};

use lambda_lab::experiment::{Experiment, LoadProfile};

use crate::environment::{self, Environment};
use crate::gate::known::Known;
use crate::package::{self, PackageError};
use crate::plan::{self, Step};
use crate::prices::Prices;
use crate::programs;
use crate::run::{Options, RunError};
use crate::scenario::Offered;
use crate::states::States;

/// What is known before anything is started.
pub(crate) struct Prepared {
    pub(crate) experiment: Experiment,
    pub(crate) profile: LoadProfile,
    pub(crate) offered: Offered,
    pub(crate) functions_dir: PathBuf,
    pub(crate) package_bytes: Vec<Option<u64>>,
    pub(crate) names: Vec<String>,
    pub(crate) steps: Vec<Step>,
    pub(crate) environment: Environment,
}

/// Reads and checks everything that can be wrong before it takes time.
pub(crate) fn prepare(options: &Options) -> Result<Prepared, RunError> {
    let experiment = Experiment::load(&options.experiment)?;
    let profile = loaded_by(experiment.profile(&options.profile)?, &options.scenarios);
    let offered = Offered::of(&profile)?;
    programs::check(&experiment, &options.functions_dir)?;
    let functions_dir = absolute(&options.functions_dir)?;
    let package_bytes = weigh(&experiment, &functions_dir)?;
    let names: Vec<String> = experiment.variants.iter().map(|variant| variant.name.clone()).collect();
    Known::planned(&names, profile.has_load(), experiment.is_ladder()).check(&options.gates)?;
    let arms = plan::arms(&names, &profile.control);
    let steps = plan::steps(&arms, &profile);
    let prices = Prices::bundled(std::env::consts::ARCH)?;
    let declared = environment::Profile::new(&profile, &offered);
    let mut environment = Environment::before(declared, plan::names_in_order(&arms, profile.rounds), prices);
    environment.tracing = options.tracing;
    environment.states = Some(States::declared(&profile, !experiment.setup.is_empty()));
    Ok(Prepared { experiment, profile, offered, functions_dir, package_bytes, names, steps, environment })
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

pub(crate) fn weigh(experiment: &Experiment, functions_dir: &Path) -> Result<Vec<Option<u64>>, PackageError> {
    let files = experiment.variants.iter().map(|variant| programs::package_file(variant, functions_dir));
    files.map(|file| file.map(|file| package::zipped_bytes(&file)).transpose()).collect()
}

/// The lab is told absolute paths, so that it may run anywhere.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, RunError> {
    std::path::absolute(path).map_err(|source| RunError::Path { path: path.to_owned(), source })
}
