//! The operating-system processes of one sandbox: its extensions, and the runtime after them.
//!
//! Apart from the sandbox's protocol because this is all it takes to start, watch and end them. Each program leads a process
//! group of its own within the sandbox's cage, so that what it forked ends with it. Invariant: a dropped [`Processes`] leaves no
//! process behind.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::sync::Notify;

use super::state::{Ended, State};
use crate::function::ProgramConfig;
use crate::limits::Cage;
use crate::logs::{SandboxLog, Source};
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
    cage: Arc<Cage>,
    state: Arc<State>,
    leaders: Vec<Pid>,
    runtime: Option<Pid>,
    runtime_count: Arc<Count>,
    count: Arc<Count>,
}

/// How many programs run, and a bell that rings when one has ended.
#[derive(Default)]
struct Count {
    running: AtomicUsize,
    gone: Notify,
}

impl Count {
    fn up(&self) {
        self.running.fetch_add(1, Ordering::SeqCst);
    }

    fn down(&self) {
        self.running.fetch_sub(1, Ordering::SeqCst);
        self.gone.notify_waiters();
    }

    async fn is_zero_within(&self, limit: Duration) -> bool {
        let all_gone = async {
            loop {
                let gone = self.gone.notified();
                tokio::pin!(gone);
                gone.as_mut().enable();
                if self.running.load(Ordering::SeqCst) == 0 {
                    return;
                }
                gone.await;
            }
        };
        tokio::time::timeout(limit, all_gone).await.is_ok()
    }
}

impl Processes {
    /// No program yet; those to come live in `cage`, and `state` is told when one ends.
    pub(super) fn new(cage: Arc<Cage>, state: Arc<State>) -> Self {
        Self {
            cage,
            state,
            leaders: Vec::new(),
            runtime: None,
            runtime_count: Arc::default(),
            count: Arc::default(),
        }
    }

    /// Starts an extension with `variables` as its whole environment and its output in `log`.
    pub(super) fn start_extension(
        &mut self,
        extension: &ProgramConfig,
        variables: &BTreeMap<String, String>,
        log: &Arc<SandboxLog>,
    ) -> Result<(), SpawnError> {
        let child = self.start(extension, variables, log, Source::Extension(extension.name.clone()))?;
        self.watch(child, None, move |status| Ended::new("Extension.Crash", exit_code_words(status)));
        Ok(())
    }

    /// Starts the runtime, likewise.
    pub(super) fn start_runtime(
        &mut self,
        runtime: &ProgramConfig,
        variables: &BTreeMap<String, String>,
        log: &Arc<SandboxLog>,
    ) -> Result<(), SpawnError> {
        let child = self.start(runtime, variables, log, Source::Function)?;
        let count = Arc::clone(&self.runtime_count);
        self.runtime =
            self.watch(child, Some(count), |status| Ended::new("Runtime.ExitError", runtime_words(status)));
        Ok(())
    }

    fn start(
        &self,
        program: &ProgramConfig,
        variables: &BTreeMap<String, String>,
        log: &Arc<SandboxLog>,
        source: Source,
    ) -> Result<Child, SpawnError> {
        let failed = |source| SpawnError { name: program.name.clone(), file: program.file.clone(), source };
        let (output, errors) = log.output(source).map_err(failed)?;
        let mut command = Command::new(&program.file);
        command
            .args(&program.arguments)
            .current_dir(&program.dir)
            .env_clear()
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        spawn_tied_async(command, Signal::SIGKILL, self.cage.entrance()).map_err(failed)
    }

    fn watch(
        &mut self,
        mut child: Child,
        own_count: Option<Arc<Count>>,
        words: impl FnOnce(ExitStatus) -> Ended + Send + 'static,
    ) -> Option<Pid> {
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        if let Some(pid) = pid {
            self.leaders.push(pid);
            self.cage.adopt(pid);
        }
        let counts: Vec<Arc<Count>> = own_count.into_iter().chain([Arc::clone(&self.count)]).collect();
        counts.iter().for_each(|count| count.up());
        let state = Arc::clone(&self.state);
        tokio::spawn(async move {
            match child.wait().await {
                Ok(status) => state.end(words(status)),
                Err(error) => state.end(Ended::new("Runtime.Unknown", error.to_string())),
            }
            counts.iter().for_each(|count| count.down());
        });
        pid
    }

    /// Whether none has ended, asked of the system: the news of an end may still be on its way.
    #[cfg(target_os = "linux")]
    pub(super) fn all_run(&self) -> bool {
        use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
        let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        self.leaders.iter().all(|leader| matches!(waitid(Id::Pid(*leader), look), Ok(WaitStatus::StillAlive)))
    }

    /// Whether none has ended; this system is not asked.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn all_run(&self) -> bool {
        true
    }

    /// Sends the runtime SIGTERM, as Lambda does where extensions are registered.
    pub(super) fn terminate_runtime(&self) {
        self.signal_runtime(Signal::SIGTERM);
    }

    /// Sends the runtime's process group SIGKILL.
    pub(super) fn kill_runtime(&self) {
        self.signal_runtime(Signal::SIGKILL);
    }

    fn signal_runtime(&self, signal: Signal) {
        if let Some(runtime) = self.runtime {
            // A process that ended meanwhile is what was wanted.
            let _ = killpg(runtime, signal);
        }
    }

    /// Waits until the runtime has ended, at most `limit`; says whether it did.
    pub(super) async fn wait_runtime_gone(&self, limit: Duration) -> bool {
        self.runtime_count.is_zero_within(limit).await
    }

    /// Waits until every program has ended, at most `limit`; says whether they did.
    pub(super) async fn wait_gone(&self, limit: Duration) -> bool {
        self.count.is_zero_within(limit).await
    }

    /// Kills everything in the sandbox at once, also what left its process group.
    pub(super) fn kill(&self) {
        for leader in &self.leaders {
            let _ = killpg(*leader, Signal::SIGKILL);
        }
        self.cage.kill();
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The runtime's exit in Lambda's words.
fn runtime_words(status: ExitStatus) -> String {
    if status.success() {
        return "Runtime exited without providing a reason".to_owned();
    }
    format!("Runtime exited with error: {}", exit_words(status))
}

/// An extension's exit in Lambda's words: `exit code 0`.
fn exit_code_words(status: ExitStatus) -> String {
    status.code().map_or_else(|| exit_words(status), |code| format!("exit code {code}"))
}

/// An exit in Lambda's words: `exit status 1`, `signal: killed`.
fn exit_words(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal().map(Signal::try_from)) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(Ok(signal))) => format!("signal: {}", signal_words(signal)),
        (None, _) => status.to_string(),
    }
}

/// A signal as Go's `os` package spells it, which is what Lambda's supervisor prints.
fn signal_words(signal: Signal) -> &'static str {
    match signal {
        Signal::SIGKILL => "killed",
        Signal::SIGTERM => "terminated",
        Signal::SIGSEGV => "segmentation fault",
        Signal::SIGABRT => "aborted",
        Signal::SIGBUS => "bus error",
        Signal::SIGILL => "illegal instruction",
        Signal::SIGINT => "interrupt",
        Signal::SIGHUP => "hangup",
        other => other.as_str(),
    }
}
