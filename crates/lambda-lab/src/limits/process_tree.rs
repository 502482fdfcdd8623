//! Finding processes that belong together, from `/proc`.
//!
//! Apart because a process can leave its group and outlive its parent, and without control groups the kernel keeps no list of a
//! sandbox's processes. Invariant: only processes that descend from a leader, or carry its mark, are ended.

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

/// How often to look again for what was forked meanwhile.
const ROUNDS: usize = 16;
/// How often, and for how long in all, to look for the environment of a process that was started just now.
const LOOKS_AT_NEW: u32 = 500;
const LOOK_AT_NEW_EVERY: Duration = Duration::from_micros(200);
/// A sandbox's own address is in the environment of all its processes, and of no other sandbox's.
const MARKING_VARIABLE: &[u8] = b"AWS_LAMBDA_RUNTIME_API=";

/// A variable that all processes of a sandbox inherit, as `NAME=value`.
#[derive(PartialEq, Eq)]
pub(super) struct Mark(Vec<u8>);

impl Mark {
    /// That of a process; none where its environment has none or cannot be read.
    pub(super) fn of(pid: Pid) -> Option<Self> {
        Self::among(&variables(pid)?)
    }

    /// That of a process that was started just now. Whoever started it hears that it is the program shortly before the kernel
    /// has laid out its environment, which is empty until then.
    pub(super) fn of_new(pid: Pid) -> Option<Self> {
        for _ in 0..LOOKS_AT_NEW {
            let variables = variables(pid)?;
            if !variables.is_empty() {
                return Self::among(&variables);
            }
            thread::sleep(LOOK_AT_NEW_EVERY);
        }
        None
    }

    fn among(variables: &[u8]) -> Option<Self> {
        let mut entries = variables.split(|&byte| byte == 0);
        entries.find(|entry| entry.starts_with(MARKING_VARIABLE)).map(|entry| Self(entry.to_vec()))
    }
}

/// What `/proc/<pid>/stat` says of a process.
pub(super) struct Stat {
    /// The process it was forked by, or the one that took its place.
    pub(super) parent: i32,
    /// When it started, in clock ticks since the boot.
    pub(super) started_ticks: u64,
}

impl Stat {
    /// Of a process that exists and is no zombie.
    pub(super) fn of(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the program's name in parentheses and may hold anything, so count from its end.
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
        if matches!(fields.next()?, "Z" | "X") {
            return None;
        }
        Some(Self { parent: fields.next()?.parse().ok()?, started_ticks: fields.nth(17)?.parse().ok()? })
    }
}

/// Kills the groups of `leaders`, their descendants, and every process with one of `marks`; looks until there are no more.
pub(super) fn end_all(leaders: &[Pid], marks: &[Mark]) {
    if leaders.is_empty() {
        return;
    }
    for _ in 0..ROUNDS {
        // First the list, then the signals: a dead parent's children are no longer its own.
        let found = belonging(leaders, marks);
        for leader in leaders {
            let _ = killpg(*leader, Signal::SIGKILL);
        }
        for &pid in &found {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        if found.is_empty() {
            return;
        }
    }
}

/// Descendants of `leaders` and bearers of `marks`, the leaders themselves left out.
fn belonging(leaders: &[Pid], marks: &[Mark]) -> BTreeSet<i32> {
    let parents: Vec<(i32, i32)> =
        all_pids().filter_map(|pid| Stat::of(pid).map(|stat| (pid, stat.parent))).collect();
    let mut family: BTreeSet<i32> = leaders.iter().map(|leader| leader.as_raw()).collect();
    loop {
        let before = family.len();
        family.extend(
            parents
                .iter()
                .filter(|(_, parent)| family.contains(parent))
                .map(|&(pid, _)| pid)
                .collect::<Vec<_>>(),
        );
        if family.len() == before {
            break;
        }
    }
    let marked = |pid: &i32| Mark::of(Pid::from_raw(*pid)).is_some_and(|mark| marks.contains(&mark));
    family.extend(
        parents
            .iter()
            .map(|&(pid, _)| pid)
            .filter(|pid| !marks.is_empty() && marked(pid))
            .collect::<Vec<_>>(),
    );
    family.retain(|&pid| pid > 1 && leaders.iter().all(|leader| leader.as_raw() != pid));
    family
}

fn all_pids() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

fn variables(pid: Pid) -> Option<Vec<u8>> {
    fs::read(format!("/proc/{pid}/environ")).ok()
}
