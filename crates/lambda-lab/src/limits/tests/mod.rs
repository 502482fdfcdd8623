//! The limits, on real processes and every backend that this machine has.

mod enforcement;
mod lifetime;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::probe::Parents;
use super::process_tree::Stat;
use super::{Cage, Limits, LimitsError, Wanted};
use crate::tied::spawn_tied_async;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Every backend that can be had.
fn backends() -> Vec<Limits> {
    [Wanted::V2, Wanted::V1, Wanted::None]
        .into_iter()
        .filter_map(|wanted| Limits::probe(wanted).ok())
        .collect()
}

/// Those that enforce.
fn enforcing() -> Vec<Limits> {
    backends().into_iter().filter(|limits| !matches!(limits.shared.backend.parents, Parents::None)).collect()
}

/// A sandbox with one program, a shell script.
struct Sandbox {
    cage: Cage,
    child: Child,
    dir: TempDir,
}

impl Sandbox {
    /// Runs `script` in a cage of its own and a folder of its own.
    fn start(limits: &Limits, memory_mb: u32, script: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let id = format!("test-{}", uuid::Uuid::new_v4());
        let cage = limits.cage(&id, memory_mb).unwrap();
        let child = spawn(&cage, script, dir.path(), &id);
        Self { cage, child, dir }
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.child.id().unwrap()).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

fn spawn(cage: &Cage, script: &str, dir: &Path, id: &str) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(dir).env("AWS_LAMBDA_RUNTIME_API", format!("test:{id}"));
    let child = spawn_tied_async(command, Signal::SIGKILL, cage.entrance()).unwrap();
    cage.adopt(Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()));
    child
}

/// Waits until `holds`.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what} did not come about");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The number in a file, once it is there.
async fn number(file: &Path) -> i32 {
    let read = || std::fs::read_to_string(file).ok().and_then(|text| text.strip_suffix('\n')?.parse().ok());
    until("the file with a number", || read().is_some()).await;
    read().unwrap()
}

fn runs(pid: i32) -> bool {
    Stat::of(pid).is_some()
}

#[test]
fn a_name_that_is_none_is_refused_with_the_names_there_are() {
    let error = "cgroup-v3".parse::<Wanted>().unwrap_err();
    assert!(matches!(error, LimitsError::UnknownName { .. }));
    let message = error.to_string();
    assert!(
        ["cgroup-v3", "auto", "cgroup-v2", "cgroup-v1", "none"].iter().all(|name| message.contains(name)),
        "{message}"
    );
}

#[test]
fn a_backend_that_was_named_is_given_or_refused_with_the_reason_and_never_replaced() {
    for (name, begin) in [("cgroup-v2", "cgroup v2"), ("cgroup-v1", "cgroup v1"), ("none", "none")] {
        match Limits::probe(name.parse().unwrap()) {
            Ok(limits) => assert!(limits.name().starts_with(begin), "{}", limits.name()),
            Err(error) => assert!(error.to_string().contains(name), "{error}"),
        }
    }
}

#[test]
fn what_is_not_enforced_is_said() {
    let none = Limits::probe(Wanted::None).unwrap();
    assert!(
        none.not_emulated().iter().any(|sentence| sentence.contains("CPU share")),
        "{:?}",
        none.not_emulated()
    );
    for limits in enforcing() {
        let before = limits.not_emulated().len();
        let _cage = limits.cage("huge", 1_000_000).unwrap();
        assert_eq!(limits.not_emulated().len(), before + 1, "{:?}", limits.not_emulated());
    }
}

#[test]
fn an_id_that_would_leave_its_folder_is_refused() {
    for limits in backends() {
        for id in ["", "..", "a/b", "cgroup.procs", "\u{e9}"] {
            assert!(limits.cage(id, 128).is_err(), "{id}");
        }
    }
}
