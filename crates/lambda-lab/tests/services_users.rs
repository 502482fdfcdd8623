//! Whom the servers run as: the whole of `services.rs` once more as an unprivileged user, and folders that cannot be used.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // In helpers of tests, as in tests.

mod services_common;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::process::Command;
use std::time::Duration;

use lambda_lab::certificates::Authority;
use lambda_lab::services::Services;
use lambda_lab::services::run_dir::RunDir;
use services_common::token::{iam, token};
use services_common::{process_exists, recorded_processes, run, user_of};

/// The user and group `nobody`, by number: whether the machine names them does not matter.
const NOBODY: u32 = 65534;

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Not a test of its own: what an unprivileged user does.
#[tokio::test]
#[ignore = "run by another test under another user"]
async fn helper_start_and_stop() {
    let run_dir = RunDir::create().unwrap();
    let path = run_dir.path().to_path_buf();
    let authority = Authority::create(&path).unwrap();
    let services = Services::start(&path, &authority, &iam()).await.unwrap();
    let values = services.values();
    let token = token(&values, &values["database.user"], Duration::ZERO);
    let connection = format!(
        "host=localhost port={} dbname={} user={} sslmode=verify-full sslrootcert={} password={token}",
        values["database.port"], values["database.name"], values["database.user"], values["ca.bundle"],
    );
    let who = run("psql", &["-X", "-A", "-t", "-c", "SELECT 6 * 7", &connection], &[]);
    assert_eq!(who.unwrap(), "42\n");
    let processes = recorded_processes(&path);
    let uids: Vec<u32> = processes.iter().map(|(_, pid)| user_of(*pid).unwrap()).collect();
    services.stop().await.unwrap();
    assert!(processes.iter().all(|(_, pid)| !process_exists(*pid)));
    run_dir.remove().unwrap();
    println!("served as {uids:?} from {}", path.display());
}

#[test]
fn an_unprivileged_user_can_start_and_stop_everything() {
    if !is_root() {
        println!("skipped: not root, so every other test already runs as an unprivileged user");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let temp = folder.path().join("temp");
    fs::create_dir(&temp).unwrap();
    chown(&temp, Some(NOBODY), Some(NOBODY)).unwrap();

    let id = NOBODY.to_string();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]).arg(&program);
    command.args(["--exact", "helper_start_and_stop", "--ignored", "--nocapture"]);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("TMPDIR", &temp).current_dir("/");
    let output = command.output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    let expected = format!("served as [{NOBODY}, {NOBODY}, {NOBODY}] from {}", temp.display());
    assert!(said.contains(&expected), "{said}");
    assert_eq!(fs::read_dir(&temp).unwrap().count(), 0, "something is left in the temp dir");
}

#[tokio::test]
async fn a_folder_that_the_servers_user_may_not_enter_is_refused_by_name() {
    if !is_root() {
        println!("skipped: not root, so the servers run as ourselves and may enter what we may");
        return;
    }
    let closed = tempfile::tempdir().unwrap();
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let run_dir = RunDir::create_in(closed.path()).unwrap();
    let authority = Authority::create(run_dir.path()).unwrap();
    let error = Services::start(run_dir.path(), &authority, &iam()).await.err().unwrap().to_string();
    let expected = format!("may not enter {}: set TMPDIR", closed.path().display());
    assert!(error.contains(&expected), "{error}");
}

#[tokio::test]
async fn a_folder_too_deep_for_a_socket_is_refused_by_name() {
    let root = tempfile::tempdir().unwrap();
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let deep = root.path().join("a".repeat(70));
    fs::create_dir(&deep).unwrap();
    let run_dir = RunDir::create_in(&deep).unwrap();
    let authority = Authority::create(run_dir.path()).unwrap();
    let error = Services::start(run_dir.path(), &authority, &iam()).await.err().unwrap().to_string();
    assert!(error.contains("a Unix socket's path at most") && error.contains("set TMPDIR"), "{error}");
}
