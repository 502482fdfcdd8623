//! A function as the lab serves it: the experiment's settings with every path and placeholder resolved.
//!
//! Apart from the experiment file because this is what one run adds to it. Invariant: its programs existed when it was made.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::experiment::{ExperimentError, Function, LogSettings, Program, TracingMode, expand};

/// The region the lab plays.
pub(crate) const REGION: &str = "us-east-1";

/// The account the lab plays, as AWS's own examples do.
pub(crate) const ACCOUNT: &str = "123456789012";

/// A program the sandbox starts.
#[derive(Clone, Debug)]
pub(crate) struct ProgramConfig {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) dir: PathBuf,
}

/// The credentials of the function's role, made new in each run.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Credentials({})", self.access_key_id)
    }
}

/// Everything a sandbox of this function needs to know.
#[derive(Clone, Debug)]
pub(crate) struct FunctionConfig {
    pub(crate) name: String,
    pub(crate) handler: String,
    pub(crate) runtime: ProgramConfig,
    pub(crate) extensions: Vec<ProgramConfig>,
    pub(crate) memory_mb: u32,
    pub(crate) timeout: Duration,
    pub(crate) reserved_concurrency: Option<u32>,
    pub(crate) provisioned_concurrency: u32,
    pub(crate) logging: LogSettings,
    pub(crate) tracing: TracingMode,
    /// Where the X-Ray daemon listens.
    pub(crate) xray_daemon: SocketAddr,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) credentials: Credentials,
    pub(crate) region: String,
}

/// Why a function cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum FunctionError {
    /// A package's binary was not built.
    #[error("function {function}: {path} does not exist; build it first with `make build`")]
    NotBuilt {
        /// The function's name.
        function: String,
        /// The missing file.
        path: PathBuf,
    },
    /// A command's program was not found.
    #[error(
        "function {function}: the program {program:?} is not in {dir} nor on PATH; check command and dir"
    )]
    NoProgram {
        /// The function's name.
        function: String,
        /// The program as the experiment file names it.
        program: PathBuf,
        /// The folder it was looked for in.
        dir: PathBuf,
    },
    /// A placeholder in its environment has no value.
    #[error("function {function}, env {name}: {source}")]
    Environment {
        /// The function's name.
        function: String,
        /// The variable's name.
        name: String,
        /// Why.
        source: Box<ExperimentError>,
    },
}

impl FunctionConfig {
    /// The function's ARN, unqualified.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:lambda:{}:{ACCOUNT}:function:{}", self.region, self.name)
    }
}

/// Checks that every program of `functions` exists, before anything is started.
pub(crate) fn check_programs<'a>(
    functions: impl Iterator<Item = &'a Function>,
    functions_dir: &Path,
) -> Result<(), FunctionError> {
    for function in functions {
        runtime(function, functions_dir)?;
        extensions(function, functions_dir)?;
    }
    Ok(())
}

/// Fills `function` in for this run: `values` are the services' values, `env` goes under the function's own variables.
pub(crate) fn configure(
    function: &Function,
    functions_dir: &Path,
    values: &BTreeMap<String, String>,
    env: &BTreeMap<String, String>,
    credentials: &Credentials,
    xray_daemon: SocketAddr,
) -> Result<FunctionConfig, FunctionError> {
    let mut variables = env.clone();
    for (name, template) in &function.env {
        let value = expand(template, values).map_err(|source| FunctionError::Environment {
            function: function.name.clone(),
            name: name.clone(),
            source: Box::new(source),
        })?;
        variables.insert(name.clone(), value);
    }
    Ok(FunctionConfig {
        name: function.name.clone(),
        handler: "bootstrap".to_owned(),
        runtime: runtime(function, functions_dir)?,
        extensions: extensions(function, functions_dir)?,
        memory_mb: function.memory_mb,
        timeout: Duration::from_secs(u64::from(function.timeout_s)),
        reserved_concurrency: function.reserved_concurrency,
        provisioned_concurrency: function.provisioned_concurrency,
        logging: function.logging,
        tracing: function.tracing,
        xray_daemon,
        env: variables,
        credentials: credentials.clone(),
        region: REGION.to_owned(),
    })
}

fn runtime(function: &Function, functions_dir: &Path) -> Result<ProgramConfig, FunctionError> {
    resolve(function, &function.program, function.program.runtime_command(functions_dir))
}

fn extensions(function: &Function, functions_dir: &Path) -> Result<Vec<ProgramConfig>, FunctionError> {
    let extensions = function.extensions.iter();
    extensions.map(|program| resolve(function, program, program.extension_command(functions_dir))).collect()
}

fn resolve(
    function: &Function,
    program: &Program,
    (file, arguments): (PathBuf, Vec<String>),
) -> Result<ProgramConfig, FunctionError> {
    let dir = match program {
        Program::Package { .. } => file.parent().unwrap_or(Path::new(".")).to_owned(),
        Program::Command { dir, .. } => dir.clone(),
    };
    let found =
        if file.components().count() > 1 { file.is_file().then(|| file.clone()) } else { on_path(&file) };
    let file = match (found, program) {
        (Some(file), _) => std::path::absolute(&file).unwrap_or(file),
        (None, Program::Package { .. }) => {
            return Err(FunctionError::NotBuilt { function: function.name.clone(), path: file });
        }
        (None, Program::Command { .. }) => {
            return Err(FunctionError::NoProgram { function: function.name.clone(), program: file, dir });
        }
    };
    let dir = std::path::absolute(&dir).unwrap_or(dir);
    Ok(ProgramConfig { name: program.base_name(), file, arguments, dir })
}

fn on_path(program: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}
