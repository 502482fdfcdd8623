//! A lab that is killed with SIGKILL: the kernel ends its servers, the next lab removes its folder, and neither touches more.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // In helpers of tests, as in tests.

mod services_common;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use lambda_lab::certificates::Authority;
use lambda_lab::services::Services;
use lambda_lab::services::run_dir::RunDir;
use services_common::token::iam;
use services_common::{process_exists, recorded_processes, start_helper, wait_until};

const PARENT: &str = "LAB_TEST_PARENT";

/// Not a test: the lab that the tests below kill.
#[tokio::test]
#[ignore = "the lab that other tests start as a process of their own"]
async fn helper_lab() {
    let Some(parent) = std::env::var_os(PARENT) else {
        return;
    };
    let run_dir = RunDir::create_in(Path::new(&parent)).unwrap();
    let authority = Authority::create(run_dir.path()).unwrap();
    let _services = Services::start(run_dir.path(), &authority, &iam()).await.unwrap();
    println!("ready {}", run_dir.path().display());
    // Its killer is quick; should the killer die, this ends too.
    tokio::time::sleep(std::time::Duration::from_secs(120)).await;
}

/// A folder in which every user may pass, as the servers' user must.
fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn stat_start_time(pid: u32) -> String {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(19).unwrap().to_owned()
}

/// A pid file as the lab writes it.
fn write_pid_file(path: &Path, pid: u32, start_time: &str) {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    fs::write(path, format!("{pid} {start_time} {boot}")).unwrap();
}

/// The folder of a lab whose pid is not used by any process now.
fn dead_folder(parent: &Path, name: &str) -> PathBuf {
    let mut dead = Command::new("true").spawn().unwrap();
    let (pid, started) = (dead.id(), stat_start_time(dead.id()));
    dead.wait().unwrap();
    let folder = parent.join(format!("lambda-lab-{pid}-{name}"));
    fs::create_dir(&folder).unwrap();
    write_pid_file(&folder.join("lab.pid"), pid, &started);
    folder
}

fn sleeper() -> Child {
    Command::new("sleep").arg("300").spawn().unwrap()
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_labs_servers_end_and_the_next_lab_removes_its_folder() {
    let parent = open_folder();
    let (mut lab, _output, left) = start_helper("helper_lab", &[(PARENT, parent.path())]);
    let left = PathBuf::from(left);
    let processes = recorded_processes(&left);
    assert_eq!(processes.len(), 3, "{processes:?}");
    let data_folder = left.join("postgres/data");
    assert!(processes.iter().all(|(_, pid)| process_exists(*pid)) && data_folder.is_dir());

    // A living lab's folder is let be.
    drop(RunDir::create_in(parent.path()).unwrap());
    assert!(data_folder.is_dir(), "a living lab's folder was removed");

    lab.kill().unwrap();
    lab.wait().unwrap();
    for (name, pid) in &processes {
        wait_until(&format!("{name} ({pid}) ends with its lab"), || !process_exists(*pid));
    }
    assert!(left.is_dir(), "who removed {}?", left.display());

    let next = RunDir::create_in(parent.path()).unwrap();
    assert!(!left.exists(), "{} is left", left.display());
    assert!(next.path().is_dir());
}

#[test]
fn processes_that_a_dead_lab_recorded_are_ended_by_the_next() {
    let parent = open_folder();
    let folder = dead_folder(parent.path(), "recorded");
    let mut recorded = sleeper();
    write_pid_file(&folder.join("redis.pid"), recorded.id(), &stat_start_time(recorded.id()));
    // A number used again: the file says another start time than the process has.
    let mut stranger = sleeper();
    write_pid_file(&folder.join("postgres.pid"), stranger.id(), "1");

    let next = RunDir::create_in(parent.path()).unwrap();
    let status = recorded.try_wait().unwrap();
    let stranger_lives = stranger.try_wait().unwrap().is_none();
    end(stranger);
    if status.is_none() {
        end(recorded);
    }
    assert!(status.is_some(), "the recorded process lives on");
    assert!(stranger_lives, "a process that no lab started was ended");
    assert!(!folder.exists());
    assert!(next.path().is_dir());
}

#[test]
fn what_is_not_a_dead_labs_folder_is_let_be() {
    let parent = open_folder();
    let path = |name: String| parent.path().join(name);
    let us = std::process::id();
    // Just being made: no pid file yet, but the name's process lives.
    let young = path(format!("lambda-lab-{us}-young"));
    let other_name = path("lambda-lab-notes".to_owned());
    let file = path(format!("lambda-lab-{}-file", u32::MAX));
    fs::create_dir(&young).unwrap();
    fs::create_dir(&other_name).unwrap();
    fs::write(&file, "").unwrap();
    // A link to somebody's folder, under the name of a dead lab.
    let target = open_folder();
    fs::write(target.path().join("precious"), "").unwrap();
    let link = path(format!("lambda-lab-{}-link", u32::MAX));
    std::os::unix::fs::symlink(target.path(), &link).unwrap();
    // Another user's folder, which names one of our processes; only root can make one.
    let foreign = dead_folder(parent.path(), "foreign");
    let victim = sleeper();
    write_pid_file(&foreign.join("postgres.pid"), victim.id(), &stat_start_time(victim.id()));
    let is_root = chown(&foreign, Some(65534), Some(65534)).is_ok();

    drop(RunDir::create_in(parent.path()).unwrap());
    let mut victim = victim;
    let victim_lives = victim.try_wait().unwrap().is_none();
    if victim_lives {
        end(victim);
    }
    for path in [&young, &other_name, &file, &link] {
        assert!(path.symlink_metadata().is_ok(), "{} was removed", path.display());
    }
    assert!(target.path().join("precious").exists());
    assert_eq!(foreign.exists(), is_root, "the owner decides");
    assert_eq!(victim_lives, is_root, "the owner decides");
}
