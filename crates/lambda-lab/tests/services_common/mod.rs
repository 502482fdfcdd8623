//! What the tests of the servers share.
#![allow(dead_code)] // Each test file uses its own part of it.
#![allow(clippy::unwrap_used)] // In helpers of tests, as in tests.

pub(crate) mod token;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Runs a program: its output, or, when it failed, what it complained about.
pub(crate) fn run(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<String, String> {
    let mut command = Command::new(program);
    let output = command.args(arguments).envs(environment.iter().copied()).output().unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// The servers' `<name>.pid` files in a run folder, by name.
pub(crate) fn recorded_processes(run_dir: &Path) -> Vec<(String, u32)> {
    let paths = fs::read_dir(run_dir).unwrap().map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.extension().is_some_and(|extension| extension == "pid"));
    let mut found: Vec<(String, u32)> = files
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, text.split(' ').next().unwrap().parse().unwrap())
        })
        .filter(|(name, _)| name != "lab")
        .collect();
    found.sort();
    found
}

/// Whether there is such a process, a zombie included.
pub(crate) fn process_exists(pid: u32) -> bool {
    user_of(pid).is_some()
}

/// The number of the user whom a process runs as; none without such a process.
pub(crate) fn user_of(pid: u32) -> Option<u32> {
    if !cfg!(target_os = "linux") {
        return run("ps", &["-o", "uid=", "-p", &pid.to_string()], &[]).ok()?.trim().parse().ok();
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// Whether somebody listens on the port.
pub(crate) fn socket_exists(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Polls until `condition` holds, at most 20 s.
pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "not within 20 s: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Starts an ignored test of this file as a process of its own, and returns it with the rest of the line `ready <rest>` that it
/// prints.
pub(crate) fn start_helper(
    name: &str,
    environment: &[(&str, &Path)],
) -> (Child, BufReader<ChildStdout>, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--ignored", "--nocapture"]).envs(environment.iter().copied());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    // The test harness may have written the test's name before it on the same line.
    while !line.contains("ready ") {
        line.clear();
        if output.read_line(&mut line).unwrap() == 0 {
            panic!("the helper ended before it was ready: {}", child.wait().unwrap());
        }
    }
    let (_, rest) = line.split_once("ready ").unwrap();
    (child, output, rest.trim().to_owned())
}
