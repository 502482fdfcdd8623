//! Who serves the function: the lab, and `cargo lambda watch`, each as a process of its own.
//!
//! Apart from the load, which only knows addresses. Invariant: what was started here ends with its handle, also when the bench
//! fails, and nothing else is touched.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::http::Connection;

const START_LIMIT: Duration = Duration::from_secs(120);
const END_LIMIT: Duration = Duration::from_secs(20);

/// A server of the hello function.
pub(crate) trait Contender {
    /// What it is called in the table.
    fn name(&self) -> &str;
    /// Where the function answers.
    fn url(&self) -> &str;
    /// Its own process, without the function's.
    fn id(&self) -> u32;
    /// Ends it.
    fn end(self: Box<Self>) -> anyhow::Result<()>;
}

/// The folder of the hello function's package, in which scripts/bench-lab has built it.
fn package() -> anyhow::Result<PathBuf> {
    let package =
        std::env::var_os("BENCH_LAB_HELLO").context("BENCH_LAB_HELLO is not set; run make bench-lab")?;
    Ok(package.into())
}

/// The hello function, built for release: the very file that `cargo lambda watch` runs.
pub(crate) fn hello() -> anyhow::Result<PathBuf> {
    let hello = package()?.join("target/release/hello");
    if !hello.is_file() {
        bail!("{} is not built; run make bench-lab", hello.display());
    }
    Ok(hello)
}

/// A lab that serves `hello`.
pub(crate) struct Lab {
    name: String,
    url: String,
    child: Child,
    /// Removed at the end.
    _dir: tempfile::TempDir,
}

impl Lab {
    /// A lab of at most `sandboxes` sandboxes.
    pub(crate) fn start(sandboxes: u32, options: &[&str]) -> anyhow::Result<Self> {
        Self::start_in(tempfile::tempdir()?, sandboxes, options)
    }

    /// The same with a folder that `options` may name.
    pub(crate) fn start_in(dir: tempfile::TempDir, sandboxes: u32, options: &[&str]) -> anyhow::Result<Self> {
        let mut function = std::ffi::OsString::from("hello=");
        function.push(hello()?);
        let mut child = Command::new(env!("CARGO_BIN_EXE_lambda-lab"))
            .args(["serve", "--ready-line", "--with-parent"])
            .args(options)
            .arg("--function")
            .arg(function)
            .args(["--memory", "1769", "--timeout", "30", "--reserved-concurrency", &sandboxes.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no standard output")?).read_line(&mut line)?;
        let ready: Value = serde_json::from_str(&line).context("the lab did not start")?;
        let url = ready["functions"][0]["url"].as_str().context("no address in the ready line")?;
        let backend = ready["limits"].as_str().unwrap_or("unknown limits");
        let freezing = if options.contains(&"--no-freeze") { "no freezing" } else { "freezing" };
        Ok(Self { name: format!("lab, {freezing} ({backend})"), url: format!("{url}/"), child, _dir: dir })
    }
}

impl Contender for Lab {
    fn name(&self) -> &str {
        &self.name
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn id(&self) -> u32 {
        self.child.id()
    }

    fn end(mut self: Box<Self>) -> anyhow::Result<()> {
        drop(self.child.stdin.take());
        let status = wait(&mut self.child).context("the lab did not end")?;
        if !status.success() {
            bail!("the lab ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait(child: &mut Child) -> Option<std::process::ExitStatus> {
    let begun = Instant::now();
    while begun.elapsed() < END_LIMIT {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

/// `cargo lambda watch` with the same function.
pub(crate) struct CargoLambda {
    url: String,
    child: Child,
}

impl CargoLambda {
    /// `cargo lambda watch` with at most `instances` instances; returns when the function answers.
    pub(crate) fn start(instances: u32) -> anyhow::Result<Self> {
        let program = std::env::var_os("CARGO_LAMBDA").unwrap_or_else(|| "cargo-lambda".into());
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let child = Command::new(&program)
            .args(["lambda", "watch", "--release", "--ignore-changes", "--quiet", "--disable-cors"])
            .args(["--concurrency", &instances.to_string()])
            .args(["--invoke-address", "127.0.0.1", "--invoke-port", &port.to_string()])
            .current_dir(package()?)
            .env("CARGO_TARGET_DIR", package()?.join("target"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("{}; run make bench-lab", program.display()))?;
        let started = Self { url: format!("http://127.0.0.1:{port}/lambda-url/hello/"), child };
        let begun = Instant::now();
        loop {
            let answered = Connection::to(&started.url).and_then(|mut connection| Ok(connection.ask()?.0));
            match answered {
                Ok(200) => return Ok(started),
                _ if begun.elapsed() > START_LIMIT => {
                    bail!("no answer within {START_LIMIT:?}, at last {answered:?}")
                }
                _ => std::thread::sleep(Duration::from_millis(200)),
            }
        }
    }
}

impl Contender for CargoLambda {
    fn name(&self) -> &str {
        "cargo lambda watch"
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn id(&self) -> u32 {
        self.child.id()
    }

    fn end(self: Box<Self>) -> anyhow::Result<()> {
        Ok(())
    }
}

impl Drop for CargoLambda {
    fn drop(&mut self) {
        // It starts `cargo run` in groups of their own: found by their parents before these are gone.
        let ours = descendants(self.child.id());
        let _ = kill(pid(self.child.id()), Signal::SIGINT);
        if wait(&mut self.child).is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        for id in ours {
            let _ = kill(pid(id), Signal::SIGKILL);
        }
    }
}

fn pid(id: u32) -> Pid {
    Pid::from_raw(i32::try_from(id).unwrap_or(i32::MAX))
}

/// The children of `of`, and theirs.
fn descendants(of: u32) -> Vec<u32> {
    let mut found = vec![of];
    let mut next = 0;
    while let Some(parent) = found.get(next) {
        let tasks = std::fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
        let children: Vec<u32> = tasks
            .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
            .flat_map(|text| text.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
            .collect();
        found.extend(children);
        next += 1;
    }
    found.split_off(1)
}
