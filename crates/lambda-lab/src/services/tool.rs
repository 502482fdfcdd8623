//! The servers' own client programs (`psql`, `redis-cli`, ..), run for one answer.
//!
//! Apart so that readiness, set-up and counters all go the same short way, with a time limit. Invariant: nothing of the
//! user's environment (PGHOST, REDISCLI_AUTH, ..) reaches a program of the lab, and passwords travel by environment only.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;

use super::error::ServiceError;

/// How long one answer may take.
const LIMIT: Duration = Duration::from_secs(10);

/// A client program with its arguments; may be run again and again.
#[derive(Clone, Default)]
pub(crate) struct Tool {
    /// The program's path.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// What is added to the plain environment.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// What it reads on standard input.
    pub(crate) input: String,
    /// What a good answer holds: `redis-cli` ends with status 0 whatever the server said.
    pub(crate) expected: &'static str,
}

impl Tool {
    /// A program with arguments, no input and the plain environment.
    pub(crate) fn new(program: impl Into<PathBuf>, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { program: program.into(), arguments, ..Self::default() }
    }

    /// Runs it and returns its standard output; an exit status other than 0, or an answer without
    /// `expected`, is an error with what it printed.
    pub(crate) async fn run(&self) -> Result<String, ServiceError> {
        let mut command = Command::new(&self.program);
        plain_environment(&mut command);
        command.args(&self.arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let spawn_failed = |source| ServiceError::Spawn { program: self.program.clone(), source };
        let mut command = tokio::process::Command::from(command);
        let mut child = command.kill_on_drop(true).spawn().map_err(spawn_failed)?;
        let input = child.stdin.take();
        let work = async {
            if let Some(mut input) = input {
                // A program that ends without reading tells why by its status.
                let _ = input.write_all(self.input.as_bytes()).await;
            }
            child.wait_with_output().await
        };
        let output = match tokio::time::timeout(LIMIT, work).await {
            Ok(output) => output.map_err(spawn_failed)?,
            Err(_) => {
                return Err(self.failed(format!("no answer after {} s", LIMIT.as_secs()), String::new()));
            }
        };
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() && printed.contains(self.expected) {
            return Ok(printed);
        }
        let message = format!("{}{printed}", String::from_utf8_lossy(&output.stderr));
        Err(self.failed(output.status.to_string(), message.trim().to_owned()))
    }

    fn failed(&self, status: String, message: String) -> ServiceError {
        ServiceError::Tool { program: self.program.display().to_string(), status, message }
    }
}

/// Only the PATH and English messages.
pub(crate) fn plain_environment(command: &mut Command) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("LC_ALL", "C");
}
