//! The lab as a child process: starting it, waiting for it, ending it.
//!
//! Apart from the phases because it is the only place that knows how the target is run. Invariant: the lab lives no longer than
//! the bench: its standard input is a pipe that only this process holds, so it sees the end even if the bench is killed.

use std::num::NonZeroU32;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use lambda_lab::control::Ready;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use crate::control::Control;
use crate::lab_error::LabError;
use crate::last_words::LastWords;
use crate::progress::note;

/// How long the lab may take to start its servers and run the setup functions.
pub const START_LIMIT: Duration = Duration::from_secs(120);
/// How long the lab may take to end everything it started.
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// How often to look whether the lab has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What the lab is to serve, and where it writes.
#[derive(Clone, Debug)]
pub struct Serve<'a> {
    /// The program `lambda-lab`.
    pub program: &'a Path,
    /// The experiment file.
    pub experiment: &'a Path,
    /// Where the built functions are.
    pub functions_dir: &'a Path,
    /// Where it appends a line for each invocation.
    pub records: &'a Path,
    /// The folder of its functions' logs, one file each.
    pub logs: &'a Path,
    /// The folder of its trace documents.
    pub traces: &'a Path,
    /// How far its dependencies are said to be: a name of [`lambda_lab::distance::Network`].
    pub network: &'a str,
    /// Requests a second at which Parameter Store throttles; none: not at all. The closed loop of a warm phase asks more often than
    /// any client on AWS would: with its default throughput, that would be measured.
    pub ssm_per_second: Option<NonZeroU32>,
}

/// A running lab.
#[derive(Debug)]
pub struct Lab {
    child: Child,
    last_words: LastWords,
}

impl Lab {
    /// Starts the process; it is not ready yet.
    ///
    /// # Errors
    /// If the program cannot be executed.
    pub fn spawn(serve: &Serve<'_>) -> Result<Self, LabError> {
        let mut command = Command::new(serve.program);
        command.arg("serve").arg("--experiment").arg(serve.experiment);
        command.arg("--functions-dir").arg(serve.functions_dir);
        command.arg("--records").arg(serve.records).arg("--logs-dir").arg(serve.logs);
        command.arg("--traces").arg(serve.traces).arg("--network").arg(serve.network);
        let ssm_rate = serve.ssm_per_second.map_or_else(|| "off".to_owned(), |rate| rate.to_string());
        command.args(["--ssm-rate", ssm_rate.as_str(), "--ready-line", "--with-parent"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Its own group, so that Ctrl-C reaches the bench alone and the lab is ended in one way only.
        command.process_group(0).kill_on_drop(true);
        let mut child = command
            .spawn()
            .map_err(|source| LabError::Spawn { program: serve.program.to_owned(), source })?;
        let last_words = LastWords::default();
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(last_words.clone().listen(stderr));
        }
        Ok(Self { child, last_words })
    }

    /// The lab's process; none once it has been waited for.
    pub fn process_id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for the ready line.
    ///
    /// # Errors
    /// If the lab ends, says something else, or says nothing in time; each quotes its standard error.
    pub async fn ready(&mut self) -> Result<Control, LabError> {
        let Some(stdout) = self.child.stdout.take() else {
            return Err(LabError::NotReady { last_words: self.last_words.quote() });
        };
        let mut lines = BufReader::new(stdout);
        let mut line = String::new();
        let read = tokio::time::timeout(START_LIMIT, lines.read_line(&mut line)).await;
        match read {
            Err(_) => {
                return Err(LabError::NotReady { last_words: self.last_words.quote() });
            }
            Ok(Ok(0) | Err(_)) => return Err(self.ended_early().await),
            Ok(Ok(_)) => {}
        }
        tokio::spawn(discard(lines));
        let ready: Ready = serde_json::from_str(&line)
            .map_err(|source| LabError::ReadyLine { line: line.trim_end().to_owned(), source })?;
        Ok(Control::new(ready, self.last_words.clone()))
    }

    async fn ended_early(&mut self) -> LabError {
        let status = match tokio::time::timeout(STOP_LIMIT, self.child.wait()).await {
            Ok(Ok(status)) => status.to_string(),
            _ => "it closed its output but still runs".to_owned(),
        };
        LabError::EndedEarly { status, last_words: self.last_words().await }
    }

    /// Waits until the lab ends of itself, which it should not do during a run.
    pub async fn ended(&mut self) -> LabError {
        // Not `wait`, which would close the standard input and so end the lab.
        loop {
            let status = match self.child.try_wait() {
                Ok(None) => {
                    tokio::time::sleep(LOOK_AGAIN).await;
                    continue;
                }
                Ok(Some(status)) => status.to_string(),
                Err(error) => error.to_string(),
            };
            return LabError::EndedMeanwhile { status, last_words: self.last_words().await };
        }
    }

    /// Its standard error is read by another task, which may need a moment more than the exit status.
    async fn last_words(&self) -> String {
        tokio::time::sleep(LOOK_AGAIN).await;
        self.last_words.quote()
    }

    /// What it said on its standard error so far, and will say.
    pub fn words(&self) -> LastWords {
        self.last_words.clone()
    }

    /// [`Lab::stop`], which says so where the lab had to be killed.
    pub async fn end(self) {
        if self.stop().await.is_none() {
            note("warning: the lab did not end in time and was killed; its servers end with it");
        }
    }

    /// Closes the lab's standard input and waits for its end; kills it when it does not come.
    ///
    /// Tells the exit status, or none if it had to be killed.
    pub async fn stop(mut self) -> Option<ExitStatus> {
        drop(self.child.stdin.take());
        if let Ok(Ok(status)) = tokio::time::timeout(STOP_LIMIT, self.child.wait()).await {
            return Some(status);
        }
        // Nothing more can be done for it; a failure here means that it is gone already.
        let _ = self.child.kill().await;
        None
    }
}

/// Reads on, so that a lab that prints more never blocks on a full pipe.
async fn discard(mut stdout: BufReader<ChildStdout>) {
    let mut line = Vec::new();
    while let Ok(1..) = stdout.read_until(b'\n', &mut line).await {
        line.clear();
    }
}
