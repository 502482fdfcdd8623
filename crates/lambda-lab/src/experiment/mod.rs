//! The experiment file: which functions run, with what settings, under what load.
//!
//! Apart from lab and bench because both read it: the lab takes the functions, the bench the load. `file.rs` is the TOML's
//! shape, `check.rs` turns it into the types below. Invariant: an [`Experiment`] that exists is valid; whatever is wrong with the
//! file is said with its line, its value and the mend before any process starts.

mod check;
mod error;
mod file;
mod function;
mod lever;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use crate::logs::{ApplicationLevel, LogFormat, LogSettings, SystemLevel};
pub use crate::xray::TracingMode;
pub use error::ExperimentError;

/// A checked experiment file.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// Short name, used in result folders: letters, digits, `-`.
    pub name: String,
    /// One sentence for the report's head.
    pub description: String,
    /// Limits of the account that the lab plays.
    pub account: AccountLimits,
    /// What the lab's Parameter Store holds, before [`expand`] fills the services' values in.
    pub parameters: Vec<ParameterTemplate>,
    /// What the lab's Secrets Manager holds, by name, before [`expand`] fills the services' values in.
    pub secrets: BTreeMap<String, String>,
    /// Functions that are invoked once, in order, before the variants are served.
    pub setup: Vec<Function>,
    /// The functions to compare, in file order; at least one.
    pub variants: Vec<Function>,
    /// Load profiles by name.
    pub load: BTreeMap<String, LoadProfile>,
}

/// Limits that an account has in one region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountLimits {
    /// Concurrent executions of all functions together; none means Lambda's default, 1,000.
    pub concurrent_executions: Option<u32>,
    /// New sandboxes of a function in ten seconds, Lambda's scaling rate; none means as many as the host carries.
    pub new_sandboxes_per_10_s: Option<u32>,
}

/// One parameter of the lab's Parameter Store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterTemplate {
    /// Full name, such as `/stadiums/database/host`.
    pub name: String,
    /// Its value; `${key}` stands for a service's value.
    pub value: String,
    /// Whether it is a SecureString.
    pub secure: bool,
}

/// A Lambda function as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Function name: letters, digits, `-`, `_`; unique in the file.
    pub name: String,
    /// What the lab runs for it.
    pub program: Program,
    /// 128 to 10,240 MB.
    pub memory_mb: u32,
    /// 1 to 900 seconds.
    pub timeout_s: u32,
    /// External extensions, started before the runtime.
    pub extensions: Vec<Program>,
    /// At most so many sandboxes; none means the lab's account limit.
    pub reserved_concurrency: Option<u32>,
    /// So many sandboxes are initialized before any request.
    pub provisioned_concurrency: u32,
    /// How its log is written.
    pub logging: LogSettings,
    /// Whether Lambda records X-Ray segments of its requests.
    pub tracing: TracingMode,
    /// The function's own environment; `${key}` stands for a service's value.
    pub env: BTreeMap<String, String>,
    /// What makes a variant a rung of a ladder.
    pub lever: Option<Lever>,
}

/// What one variant has changed against another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lever {
    /// What was changed, in a few words: one line of at most 80 characters.
    pub words: String,
    /// The name of the variant it is compared with.
    pub against: String,
    /// Whether `against` was named in the file: then the rung stands beside the way from the ladder's foot to its top.
    pub beside: bool,
}

/// How the program of a function or an extension is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// A binary of this workspace, found in the folder of built functions.
    Package {
        /// The crate's name.
        package: String,
        /// The binary's name within it.
        binary: String,
    },
    /// Any command that speaks the Runtime API.
    Command {
        /// The program and its arguments; never empty.
        words: Vec<String>,
        /// The folder it runs in, `LAMBDA_TASK_ROOT`.
        dir: PathBuf,
    },
}

/// How the bench loads each variant.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadProfile {
    /// How often every variant is measured; even, because rounds come in pairs of which the second runs backwards (ABBA).
    pub rounds: u32,
    /// Cold starts per variant and round, one at a time.
    pub cold_starts: u32,
    /// Warm requests before the measured ones, per variant and round.
    pub warm_up_requests: u32,
    /// Measured warm requests with one in flight, per variant and round.
    pub warm_requests: u32,
    /// Variants that are measured twice in every round and compared with themselves (A/A); none, one or several.
    pub control: Vec<String>,
    /// The open-loop load phases, run in order, per variant and round; may be empty.
    pub arrivals: Vec<ArrivalPhase>,
    /// Load scenarios in Artillery's YAML, run in order, instead of `arrivals`: only their paths, the lab reads none. Never both.
    pub scenarios: Vec<PathBuf>,
}

impl LoadProfile {
    /// Whether there is a load phase at all.
    pub fn has_load(&self) -> bool {
        !(self.arrivals.is_empty() && self.scenarios.is_empty())
    }
}

/// A stretch of open-loop load: arrivals at a steady or linearly changing rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArrivalPhase {
    /// How long it lasts, in seconds.
    pub duration_s: f64,
    /// Arrivals per second at its start.
    pub arrival_rate: f64,
    /// Arrivals per second at its end, where it ramps.
    pub ramp_to: Option<f64>,
}

/// What a control's second measurement adds to its variant's name.
const CONTROL_SUFFIX: &str = "-control";

/// What the second measurement of the control `variant` is called, in samples and in the order of turns.
pub fn control_name(variant: &str) -> String {
    format!("{variant}{CONTROL_SUFFIX}")
}

impl Experiment {
    /// Reads and checks the experiment file at `path`. Relative `dir`s are taken from the file's own folder.
    ///
    /// # Errors
    /// Says the file, the line, the value and the mend of the first thing that is wrong.
    pub fn load(path: &Path) -> Result<Self, ExperimentError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ExperimentError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Checks `text` as if it were the experiment file at `path`.
    ///
    /// # Errors
    /// As [`Experiment::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ExperimentError> {
        check::experiment(text, path)
    }

    /// Whether any value refers to a server behind the functions; if none does, none is started.
    pub fn uses_services(&self) -> bool {
        let functions = self.setup.iter().chain(&self.variants);
        let mut templates = functions
            .flat_map(|function| function.env.values())
            .chain(self.parameters.iter().map(|parameter| &parameter.value))
            .chain(self.secrets.values());
        templates.any(|template| template.contains("${"))
    }

    /// Whether its variants are the rungs of a ladder.
    pub fn is_ladder(&self) -> bool {
        self.variants.iter().any(|variant| variant.lever.is_some())
    }

    /// The load profile called `name`.
    ///
    /// # Errors
    /// Names the profiles that the file has.
    pub fn profile(&self, name: &str) -> Result<&LoadProfile, ExperimentError> {
        self.load.get(name).ok_or_else(|| ExperimentError::NoSuchProfile {
            name: name.to_owned(),
            known: self.load.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }
}

impl Program {
    /// The file the lab executes as a function's runtime, and its arguments: a package's lies at
    /// `<functions_dir>/<binary>/bootstrap`, as in Lambda's `/var/task`.
    pub fn runtime_command(&self, functions_dir: &Path) -> (PathBuf, Vec<String>) {
        self.command(|binary| functions_dir.join(binary).join("bootstrap"))
    }

    /// The file the lab executes as an extension, and its arguments: a package's lies at `<functions_dir>/extensions/<binary>`,
    /// as in Lambda's `/opt/extensions`, since its file name is what it registers under.
    pub fn extension_command(&self, functions_dir: &Path) -> (PathBuf, Vec<String>) {
        self.command(|binary| functions_dir.join("extensions").join(binary))
    }

    fn command(&self, package_file: impl Fn(&str) -> PathBuf) -> (PathBuf, Vec<String>) {
        match self {
            Self::Package { binary, .. } => (package_file(binary), Vec::new()),
            Self::Command { words, dir } => {
                let program = Path::new(&words[0]);
                let relative_file = program.components().count() > 1 && program.is_relative();
                let program = if relative_file { dir.join(program) } else { program.to_owned() };
                (program, words[1..].to_vec())
            }
        }
    }

    /// The name an extension of this program registers under: its file's base name.
    pub fn base_name(&self) -> String {
        match self {
            Self::Package { binary, .. } => binary.clone(),
            Self::Command { words, .. } => {
                let program = Path::new(&words[0]);
                program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
            }
        }
    }
}

/// Replaces every `${key}` in `template` by its value.
///
/// # Errors
/// The first key that `values` lacks, or an unclosed `${`.
pub fn expand(template: &str, values: &BTreeMap<String, String>) -> Result<String, ExperimentError> {
    let unknown = |key: &str| ExperimentError::UnknownPlaceholder {
        template: template.to_owned(),
        key: key.to_owned(),
        known: values.keys().cloned().collect::<Vec<_>>().join(", "),
    };
    let mut expanded = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${") {
        let (key, behind) = after.split_once('}').ok_or_else(|| unknown(after))?;
        expanded.push_str(before);
        expanded.push_str(values.get(key).ok_or_else(|| unknown(key))?);
        rest = behind;
    }
    expanded.push_str(rest);
    Ok(expanded)
}
