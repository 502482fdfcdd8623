//! Artillery as a child process.
//!
//! Apart from the measuring because ending it is a matter of its own. Invariant: Artillery lives no longer than the bench: it is
//! killed when its handle is dropped, and its standard input is a pipe that only this process holds, whose end it watches.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::error::ArtilleryError;

const END_WITH_BENCH: &str = include_str!("end_with_bench.cjs");
/// How much of what it printed an error quotes.
const LOG_LINES: usize = 8;
/// What Artillery exits with when expectations failed: its figures are whole.
const EXPECTATIONS_FAILED: i32 = 21;

/// How Artillery is run.
#[derive(Clone, Debug)]
pub(super) struct Artillery {
    /// Node.js.
    pub(super) node: PathBuf,
    /// Artillery's own program, `artillery/bin/run`.
    pub(super) program: PathBuf,
    /// Where its reports and logs go.
    pub(super) folder: PathBuf,
}

impl Artillery {
    /// Runs `scenario` against `target`, the address of `variant`; tells where its report is.
    ///
    /// # Errors
    /// If it cannot be started, or ends without a report.
    pub(super) async fn run(
        &self,
        scenario: &Path,
        target: &str,
        variant: &str,
    ) -> Result<PathBuf, ArtilleryError> {
        if !self.program.is_file() {
            return Err(ArtilleryError::NotInstalled { path: self.program.clone() });
        }
        let watcher = self.folder.join("end-with-bench.cjs");
        std::fs::write(&watcher, END_WITH_BENCH).map_err(at(&watcher))?;
        let report = self.folder.join(format!("artillery-{variant}.json"));
        let log = self.folder.join(format!("artillery-{variant}.log"));
        let output = std::fs::File::create(&log).map_err(at(&log))?;
        let errors = output.try_clone().map_err(at(&log))?;
        let mut command = Command::new(&self.node);
        command.arg("--require").arg(&watcher).arg(&self.program).arg("run");
        command.arg("--target").arg(target).arg("--output").arg(&report).arg(scenario);
        command.env("ARTILLERY_DISABLE_TELEMETRY", "true");
        command.stdin(Stdio::piped()).stdout(output).stderr(errors);
        // Its own group, so that Ctrl-C reaches the bench alone and Artillery is ended in one way only.
        command.process_group(0).kill_on_drop(true);
        let mut child =
            command.spawn().map_err(|source| ArtilleryError::Node { node: self.node.clone(), source })?;
        // Not dropped before the end: `wait` would close it, and so end Artillery.
        let pipe = child.stdin.take();
        let status =
            child.wait().await.map_err(|source| ArtilleryError::Node { node: self.node.clone(), source })?;
        drop(pipe);
        let sound = status.success() || status.code() == Some(EXPECTATIONS_FAILED);
        if sound && report.is_file() {
            return Ok(report);
        }
        let end = last_lines(&log);
        Err(ArtilleryError::Ended { status: status.to_string(), variant: variant.to_owned(), log, end })
    }
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> ArtilleryError {
    let path = path.to_owned();
    move |source| ArtilleryError::File { path: path.clone(), source }
}

fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
    last.iter().map(|line| format!("\n    {line}")).collect()
}
