//! The operating-system processes of one sandbox: the runtime, and its extensions before it.
//!
//! Apart from the sandbox's protocol because this is all it takes to start, watch and end them. Each program leads a process
//! group of its own, so that what it forked ends with it. Invariant: a dropped [`Processes`] leaves no process behind.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::sync::Notify;

use super::environment::{self, SandboxFacts};
use super::state::State;
use crate::function::{FunctionConfig, ProgramConfig};
use crate::limits::Entrance;
use crate::tied::spawn_tied_async;

/// Why a sandbox's program did not start.
#[derive(Debug, thiserror::Error)]
#[error("{name}: cannot start {file}: {source}", file = file.display())]
pub(super) struct SpawnError {
    name: String,
    file: PathBuf,
    source: io::Error,
}

/// The running programs.
pub(super) struct Processes {
    leaders: Vec<Pid>,
    runtime: Option<Pid>,
    gone: Arc<Notify>,
    running: Arc<std::sync::atomic::AtomicUsize>,
}

impl Processes {
    /// Starts the extensions, then the runtime; their output is appended to `log`.
    pub(super) fn spawn(
        function: &FunctionConfig,
        facts: &SandboxFacts<'_>,
        log: &File,
        state: &Arc<State>,
    ) -> Result<Self, SpawnError> {
        let runtime_variables = environment::runtime(function, facts);
        let extension_variables = environment::extension(&runtime_variables);
        let mut processes = Self {
            leaders: Vec::new(),
            runtime: None,
            gone: Arc::new(Notify::new()),
            running: Arc::default(),
        };
        for extension in &function.extensions {
            let child = start(extension, &extension_variables, log)?;
            processes.watch(child, state, format!("extension {}", extension.name), "Extension.Crash");
        }
        let child = start(&function.runtime, &runtime_variables, log)?;
        processes.runtime = processes.watch(child, state, "Runtime".to_owned(), "Runtime.ExitError");
        Ok(processes)
    }

    /// The leaders' process ids, for usage readings.
    pub(super) fn ids(&self) -> &[Pid] {
        &self.leaders
    }

    fn watch(
        &mut self,
        mut child: Child,
        state: &Arc<State>,
        who: String,
        error_type: &'static str,
    ) -> Option<Pid> {
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        self.leaders.extend(pid);
        self.running.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let (state, gone, running) = (Arc::clone(state), Arc::clone(&self.gone), Arc::clone(&self.running));
        tokio::spawn(async move {
            let how = match child.wait().await {
                Ok(status) => exit_words(status),
                Err(error) => error.to_string(),
            };
            state.end(error_type, format!("{who} exited with error: {how}"));
            running.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
            gone.notify_waiters();
        });
        pid
    }

    /// Sends the runtime SIGTERM, as Lambda does where extensions are registered.
    pub(super) fn terminate_runtime(&self) {
        if let Some(runtime) = self.runtime {
            // A process that ended meanwhile is what was wanted.
            let _ = killpg(runtime, Signal::SIGTERM);
        }
    }

    /// Waits until every program has ended, at most `limit`; says whether they did.
    pub(super) async fn wait_gone(&self, limit: Duration) -> bool {
        let all_gone = async {
            loop {
                let gone = self.gone.notified();
                tokio::pin!(gone);
                gone.as_mut().enable();
                if self.running.load(std::sync::atomic::Ordering::SeqCst) == 0 {
                    return;
                }
                gone.await;
            }
        };
        tokio::time::timeout(limit, all_gone).await.is_ok()
    }

    /// Kills every process group at once.
    pub(super) fn kill(&self) {
        for leader in &self.leaders {
            let _ = killpg(*leader, Signal::SIGKILL);
        }
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.kill();
    }
}

fn start(
    program: &ProgramConfig,
    variables: &std::collections::BTreeMap<String, String>,
    log: &File,
) -> Result<Child, SpawnError> {
    let failed = |source| SpawnError { name: program.name.clone(), file: program.file.clone(), source };
    let mut command = Command::new(&program.file);
    command
        .args(&program.arguments)
        .current_dir(&program.dir)
        .env_clear()
        .envs(variables)
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(failed)?)
        .stderr(log.try_clone().map_err(failed)?);
    spawn_tied_async(command, Signal::SIGKILL, Entrance::nowhere()).map_err(failed)
}

/// An exit in Lambda's words: `exit status 1`, `signal: killed`.
fn exit_words(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal().map(Signal::try_from)) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(Ok(Signal::SIGKILL))) => "signal: killed".to_owned(),
        (None, Some(Ok(signal))) => format!("signal: {signal}"),
        (None, _) => status.to_string(),
    }
}
