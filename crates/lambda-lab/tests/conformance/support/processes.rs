//! Other processes, as /proc tells of them.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// Whether a process with this id runs (a zombie does not).
pub(crate) fn runs(pid: &Value) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}

/// Kills a process of a sandbox, as the kernel or a person might.
pub(crate) fn kill_from_outside(pid: &Value) {
    kill(Pid::from_raw(pid.as_i64().unwrap().try_into().unwrap()), Signal::SIGKILL).unwrap();
}
