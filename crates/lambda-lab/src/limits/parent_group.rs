//! The group that holds all groups of one lab, and the removal of those whose lab is dead.
//!
//! Apart because nobody else may remove a group that is in use. Invariant: a group is taken for a dead lab's only when the process
//! in its name is gone and nobody holds the lock on it (a lab in another container has a number that means nothing here).

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::control_file::{naming, write};
use super::process_tree::Stat;

/// What the names of these groups begin with; process number, its start in clock ticks and a running number follow.
const NAME: &str = "lambda-lab-";
/// How long the removal of a dead lab's groups may take at start.
const STALE_LIMIT: Duration = Duration::from_secs(2);
/// How often a group is listed for processes to kill where the kernel does not do it at once.
const KILL_ROUNDS: usize = 64;

/// A lab's own group in one hierarchy; removed when dropped, if it is empty by then.
pub(super) struct ParentGroup {
    path: PathBuf,
    /// Held as long as the lab lives; the kernel lets go of it however the lab ends.
    _lock: Flock<File>,
}

impl ParentGroup {
    /// Makes it in `base`, after removing those of dead labs there.
    pub(super) fn create(base: &Path) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        remove_stale(base);
        let us = std::process::id();
        let started = i32::try_from(us).ok().and_then(Stat::of).map_or(0, |stat| stat.started_ticks);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = base.join(format!("{NAME}{us}-{started}-{count}"));
        fs::create_dir(&path).map_err(|error| naming(&path, &error))?;
        match lock(&path) {
            Ok(lock) => Ok(Self { path, _lock: lock }),
            Err(error) => {
                let _ = fs::remove_dir(&path);
                Err(naming(&path, &error))
            }
        }
    }

    /// Where sandboxes' groups are made.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ParentGroup {
    fn drop(&mut self) {
        // One that is not empty is removed by the next lab.
        let _ = fs::remove_dir(&self.path);
    }
}

fn lock(path: &Path) -> io::Result<Flock<File>> {
    Flock::lock(File::open(path)?, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| errno.into())
}

fn remove_stale(base: &Path) {
    let deadline = Instant::now() + STALE_LIMIT;
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let path = entry.path();
        if !entry.file_name().to_str().is_some_and(is_dead_labs) {
            continue;
        }
        let Ok(_lock) = lock(&path) else { continue };
        while !remove_tree(&path) && Instant::now() < deadline {
            kill_all(&path);
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Whether `name` is a lab's group and that lab is gone.
fn is_dead_labs(name: &str) -> bool {
    let mut numbers = name.strip_prefix(NAME).into_iter().flat_map(|numbers| numbers.split('-'));
    let pid: Option<i32> = numbers.next().and_then(|pid| pid.parse().ok());
    let started: Option<u64> = numbers.next().and_then(|ticks| ticks.parse().ok());
    let (Some(pid), Some(started)) = (pid, started) else { return false };
    Stat::of(pid).is_none_or(|stat| stat.started_ticks != started)
}

/// Removes a group and those in it; whether it is gone. The kernel refuses while a process is in one of them.
pub(super) fn remove_tree(group: &Path) -> bool {
    for child in children(group) {
        remove_tree(&child);
    }
    match fs::remove_dir(group) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// SIGKILL for every process in a group and those in it, whether frozen or not.
pub(super) fn kill_all(group: &Path) {
    // Since Linux 5.14, version 2 only: at once, and nothing can fork its way out.
    if write(group, "cgroup.kill", "1").is_ok() {
        return;
    }
    // What stands still cannot fork; version 1 has no such file, and there the rounds must catch up with who forks.
    let frozen = write(group, "cgroup.freeze", "1").is_ok();
    for _ in 0..KILL_ROUNDS {
        if !kill_listed(group) || frozen {
            break;
        }
    }
}

/// Whether there was any.
fn kill_listed(group: &Path) -> bool {
    let mut any = children(group).map(|child| kill_listed(&child)).fold(false, |any, one| any | one);
    let list = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    // A process of another process number space is listed as 0, which `kill` would take for our own group.
    for pid in list.lines().filter_map(|line| line.parse().ok()).filter(|&pid: &i32| pid > 1) {
        any |= kill(Pid::from_raw(pid), Signal::SIGKILL) != Err(Errno::ESRCH);
    }
    any
}

fn children(group: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(group)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
}
