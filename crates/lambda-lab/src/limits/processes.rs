//! The leaders of a sandbox's process groups, for what no control group does or tells.
//!
//! Apart because it is all there is without control groups. Invariant: after [`Processes::kill`] no leader is remembered, so that a
//! number the system gives away again is never signalled.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::control_file::Counters;
use super::process_tree::{Mark, end_all};

/// What was started for one sandbox.
#[derive(Default)]
pub(super) struct Processes {
    leaders: Mutex<Vec<Leader>>,
}

struct Leader {
    pid: Pid,
    mark: Option<Mark>,
    clock: Option<Clock>,
    /// Kept open: it stays this process's, whoever gets its number next.
    status: Option<Counters>,
}

impl Processes {
    /// Remembers a process that leads a group; its mark too, where only that finds the orphans of those that leave their group.
    pub(super) fn adopt(&self, pid: Pid, with_mark: bool) {
        let mark = with_mark.then(|| Mark::of_new(pid)).flatten();
        let status = Counters::open(Path::new(&format!("/proc/{pid}")), "status").ok();
        self.leaders().push(Leader { pid, mark, clock: clock_of(pid), status });
    }

    /// Stops every group.
    pub(super) fn stop(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets every group go on.
    pub(super) fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Whether every leader has stopped or ended.
    pub(super) fn all_stopped(&self) -> bool {
        self.leaders().iter().all(|leader| is_stopped(leader.pid))
    }

    /// Kills every group, and what left them: children of any degree, and orphans that still carry the sandbox's mark.
    pub(super) fn kill(&self) {
        let leaders = std::mem::take(&mut *self.leaders());
        let pids: Vec<Pid> = leaders.iter().map(|leader| leader.pid).collect();
        let marks: Vec<Mark> = leaders.into_iter().filter_map(|leader| leader.mark).collect();
        end_all(&pids, &marks);
    }

    /// Remembers none any more.
    pub(super) fn forget(&self) {
        self.leaders().clear();
    }

    /// Processor time of the leaders so far, none of which is zero; `None` where the system does not tell, or one is gone.
    pub(super) fn cpu_time(&self) -> Option<Duration> {
        self.leaders().iter().map(|leader| leader.clock.and_then(time_on)).sum()
    }

    /// Sum of the leaders' peak resident sizes in MB (2^20 bytes): at least what they held together at any time.
    pub(super) fn peak_memory_mb(&self) -> Option<f64> {
        sum(self.leaders().iter().map(Leader::peak_resident_kb)).map(|total_kb| total_kb / 1024.0)
    }

    fn signal(&self, signal: Signal) {
        for leader in self.leaders().iter() {
            // A group that ended meanwhile needs no signal.
            let _ = killpg(leader.pid, signal);
        }
    }

    fn leaders(&self) -> MutexGuard<'_, Vec<Leader>> {
        self.leaders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sum, if there is something to add and none is missing.
fn sum<T: std::ops::Add<Output = T>>(parts: impl Iterator<Item = Option<T>>) -> Option<T> {
    parts.reduce(|sum, part| Some(sum? + part?)).flatten()
}

/// A clock that shows a process's processor time.
#[cfg(target_os = "linux")]
type Clock = nix::time::ClockId;
#[cfg(not(target_os = "linux"))]
type Clock = std::convert::Infallible;

#[cfg(target_os = "linux")]
fn clock_of(pid: Pid) -> Option<Clock> {
    nix::time::clock_getcpuclockid(pid).ok()
}

#[cfg(target_os = "linux")]
fn time_on(clock: Clock) -> Option<Duration> {
    Some(clock.now().ok()?.into())
}

#[cfg(not(target_os = "linux"))]
fn clock_of(_pid: Pid) -> Option<Clock> {
    None
}

#[cfg(not(target_os = "linux"))]
fn time_on(clock: Clock) -> Option<Duration> {
    match clock {}
}

impl Leader {
    fn peak_resident_kb(&self) -> Option<f64> {
        self.status.as_ref()?.read(|status| {
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            line.trim().strip_suffix("kB")?.trim().parse().ok()
        })
    }
}

/// Asks without taking the news away from whoever waits for the process.
#[cfg(target_os = "linux")]
fn is_stopped(pid: Pid) -> bool {
    use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
    let flags = WaitPidFlag::WSTOPPED | WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
    !matches!(waitid(Id::Pid(pid), flags), Ok(WaitStatus::StillAlive))
}

#[cfg(not(target_os = "linux"))]
fn is_stopped(_pid: Pid) -> bool {
    true
}
