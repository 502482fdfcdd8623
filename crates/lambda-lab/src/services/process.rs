//! A supervised child process that never outlives the lab.
//!
//! Apart because all servers are kept the same way. Three nets, each for what the one before cannot catch: `stop` and `Drop`
//! end the process; the kernel ends it when the lab dies by SIGKILL (Linux only, see `tied`); and a pid file lets the next lab
//! end it. Invariant: when a [`ServiceProcess`] is gone, so is its process.
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::error::ServiceError;
use super::pid_file::ProcessMark;
use super::tool::Tool;
use super::user::ServiceUser;
use crate::tied::spawn_tied;

/// How often a process or a server is looked at while we wait for it.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How long `Drop` waits, blocking, before it uses SIGKILL.
const DROP_GRACE: Duration = Duration::from_secs(2);
/// How many lines of a log an error quotes.
const QUOTED_LINES: usize = 12;

/// What to start, and how it should end.
pub(crate) struct Launch<'a> {
    /// Names the log, the pid file and the errors.
    pub(crate) name: &'static str,
    /// The program and its arguments; its environment is replaced by a small one.
    pub(crate) command: Command,
    /// Where `<name>.pid` goes.
    pub(crate) run_dir: &'a Path,
    /// Its working folder, where `<name>.log` goes.
    pub(crate) folder: &'a Path,
    /// Whom it runs as.
    pub(crate) user: &'a ServiceUser,
    /// What makes it end at once, cleaning up what the kernel does not: sent when the lab dies or drops it.
    pub(crate) death_signal: Signal,
}

/// A child process in its own process group, its output in a log file.
pub(crate) struct ServiceProcess {
    name: &'static str,
    child: Mutex<Child>,
    log_path: PathBuf,
    pid_path: PathBuf,
    death_signal: Signal,
}

impl ServiceProcess {
    /// Starts it. It may end at once; [`ServiceProcess::until_ready`] tells.
    pub(crate) fn start(launch: Launch<'_>) -> Result<Self, ServiceError> {
        let Launch { name, mut command, run_dir, folder, user, death_signal } = launch;
        let log_path = folder.join(format!("{name}.log"));
        let log = File::create(&log_path).map_err(ServiceError::file("create", &log_path))?;
        let log_again = log.try_clone().map_err(ServiceError::file("open", &log_path))?;
        command.current_dir(folder).stdin(Stdio::null()).stdout(log).stderr(log_again);
        super::tool::plain_environment(&mut command);
        user.apply(&mut command);
        let program = PathBuf::from(command.get_program());
        let child =
            spawn_tied(command, death_signal).map_err(|source| ServiceError::Spawn { program, source })?;
        let pid_path = run_dir.join(format!("{name}.pid"));
        let mark = ProcessMark::of(child.id());
        let process = Self { name, child: Mutex::new(child), log_path, pid_path, death_signal };
        if let Some(mark) = mark {
            mark.write(&process.pid_path).map_err(ServiceError::file("write", &process.pid_path))?;
        }
        Ok(process)
    }

    /// An error that quotes the log when the process ended by itself.
    pub(crate) fn check(&self) -> Result<(), ServiceError> {
        match self.try_wait() {
            None => Ok(()),
            Some(status) => Err(self.ended(status)),
        }
    }

    /// Waits until `probe` succeeds, at most `limit`; an error at once when the process ends meanwhile.
    pub(crate) async fn until_ready(&self, probe: &Tool, limit: Duration) -> Result<(), ServiceError> {
        let deadline = Instant::now() + limit;
        loop {
            // The end is looked for while the probe runs: on a port that is not ours it may wait for an answer for ever.
            let answer = tokio::select! {
                error = self.until_ended() => return Err(error),
                answer = probe.run() => answer,
            };
            // Once more, because another server on the same port must not pass for ours.
            self.check()?;
            let Err(error) = answer else { return Ok(()) };
            if Instant::now() >= deadline {
                return Err(self.not_ready(limit, error.to_string()));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn until_ended(&self) -> ServiceError {
        loop {
            if let Err(error) = self.check() {
                return error;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn not_ready(&self, limit: Duration, cause: String) -> ServiceError {
        ServiceError::NotReady {
            name: self.name.to_owned(),
            limit_s: limit.as_secs(),
            cause,
            log: self.log_end(),
        }
    }

    /// Waits until the process ended by itself and asks for success: for programs that do one thing.
    pub(crate) async fn until_done(self, limit: Duration) -> Result<(), ServiceError> {
        let deadline = Instant::now() + limit;
        loop {
            match self.try_wait() {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(self.ended(status)),
                None if Instant::now() >= deadline => {
                    return Err(self.not_ready(limit, "it still runs".to_owned()));
                }
                None => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    /// Sends `signal`, waits at most `grace`, then kills, which is an error; either way the process is gone on return.
    pub(crate) async fn stop(self, signal: Signal, grace: Duration) -> Result<(), ServiceError> {
        self.send(signal);
        let deadline = Instant::now() + grace;
        while self.try_wait().is_none() {
            if Instant::now() >= deadline {
                // `drop` kills it.
                return Err(ServiceError::Killed { name: self.name.to_owned(), grace_s: grace.as_secs() });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    fn ended(&self, status: ExitStatus) -> ServiceError {
        let (name, log) = (self.name.to_owned(), self.log_end());
        // The words of the C library and of each of the servers that found a port taken.
        if log.contains("Address already in use") || log.contains("Address in use") {
            return ServiceError::PortTaken { name, log };
        }
        ServiceError::Ended { name, status: status.to_string(), log }
    }

    fn log_end(&self) -> String {
        let text = fs::read(&self.log_path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(QUOTED_LINES)..].join("\n")
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_wait(&self) -> Option<ExitStatus> {
        self.child().try_wait().ok().flatten()
    }

    /// Safe against a number used again: until we have waited for it, a dead child keeps its number.
    fn send(&self, signal: Signal) {
        if self.try_wait().is_none()
            && let Ok(pid) = i32::try_from(self.child().id())
        {
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
}

impl Drop for ServiceProcess {
    /// Blocks until the process is gone: whoever drops it is about to remove its folder.
    fn drop(&mut self) {
        self.send(self.death_signal);
        let deadline = Instant::now() + DROP_GRACE;
        while self.try_wait().is_none() && Instant::now() < deadline {
            thread::sleep(LOOK_EVERY);
        }
        if self.try_wait().is_none() {
            let _ = self.child().kill();
            let _ = self.child().wait();
        }
        let _ = fs::remove_file(&self.pid_path);
    }
}
