//! Who a process is, beyond its number, and the files in a run folder that remember it.
//!
//! Apart because numbers are used again: a lab that cleans up after a dead one must end that lab's servers and nothing else.
//! Invariant: a process is only ever ended through this module when number and start time both agree.

use std::fs;
use std::io;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A process: its number, and when it started in the words of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProcessMark {
    pid: i32,
    started: String,
}

impl ProcessMark {
    /// The mark of a running process; none when there is no such process (or only its zombie).
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let pid = i32::try_from(pid).ok().filter(|&pid| pid > 1)?;
        Some(Self { pid, started: start_time(pid)? })
    }

    /// Reads a mark written by [`ProcessMark::write`]; none when the file is missing or not one.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let (pid, started) = text.trim_end().split_once(' ')?;
        let pid = pid.parse().ok().filter(|&pid| pid > 1)?;
        Some(Self { pid, started: started.to_owned() })
    }

    /// Writes `<pid> <start time>`.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        fs::write(path, format!("{} {}\n", self.pid, self.started))
    }

    /// Whether this very process still runs.
    pub(crate) fn is_alive(&self) -> bool {
        start_time(self.pid).as_ref() == Some(&self.started)
    }

    /// Ends this very process if it still runs: SIGQUIT, which each of the servers takes as "at once", then SIGKILL.
    /// Blocks until it is gone, at most four seconds.
    pub(crate) fn end(&self) {
        for signal in [Signal::SIGQUIT, Signal::SIGKILL] {
            let deadline = Instant::now() + Duration::from_secs(2);
            if self.is_alive() {
                // It may end between the look and the signal; then there is nothing left to do.
                let _ = kill(Pid::from_raw(self.pid), signal);
            }
            while self.is_alive() && Instant::now() < deadline {
                sleep(Duration::from_millis(5));
            }
        }
    }
}

/// Start time in clock ticks since the boot, with the boot's own id: a folder may outlive a reboot, a process does not.
#[cfg(target_os = "linux")]
fn start_time(pid: i32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses and may hold anything, so count from its end.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    let ticks = fields.nth(18)?;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Some(format!("{ticks} {}", boot.trim()))
}

/// Start time as `ps` tells it, to the second.
#[cfg(not(target_os = "linux"))]
fn start_time(pid: i32) -> Option<String> {
    let arguments = ["-o", "stat=,lstart=", "-p", &pid.to_string()];
    let output = std::process::Command::new("ps").args(arguments).env("LC_ALL", "C").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (state, started) = text.trim().split_once(' ')?;
    (!state.starts_with('Z')).then(|| started.trim().to_owned())
}
