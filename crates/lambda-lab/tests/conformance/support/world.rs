//! What there is to judge with on this machine, and which lab is judged.
//!
//! Apart from the cases, which only name what they need. `CONFORMANCE_LIMITS` chooses the lab's backend; `CONFORMANCE_CLIENTS` is the
//! folder where scripts/conformance put the clients that are not ours. Invariant: it is looked at once.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::function::Function;
use super::lab::Lab;
use crate::case::Need;

/// The machine as this run found it.
pub(crate) struct World {
    backend: String,
    not_emulated: Vec<String>,
}

impl std::fmt::Display for World {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "the lab with --limits {}: {}", wanted_limits(), self.backend)?;
        self.not_emulated.iter().try_for_each(|what| write!(formatter, "\n  not emulated: {what}"))
    }
}

impl World {
    /// Starts a lab to see what it enforces.
    pub(crate) fn look_around() -> Self {
        let lab = Lab::serve([Function::judge("look")]);
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let not_emulated = lab.ready["not_emulated"].as_array().into_iter().flatten().map(text).collect();
        let backend = text(&lab.ready["limits"]);
        lab.stop();
        Self { backend, not_emulated }
    }

    /// Why `need` is not met; none if it is.
    pub(crate) fn lacks(&self, need: Need) -> Option<String> {
        let enforces = self.backend.starts_with("cgroup");
        match need {
            Need::CpuShare => {
                (!enforces).then(|| format!("the backend {:?} enforces no CPU share", self.backend))
            }
            Need::MemoryLimit => {
                (!enforces).then(|| format!("the backend {:?} enforces no memory limit", self.backend))
            }
            Need::Strays => (!enforces)
                .then(|| format!("the backend {:?} reaches no process that left its group", self.backend)),
            Need::Python(module) => {
                let python = client("venv/bin/python");
                let wanted = format!("import {module}");
                (!succeeds(Command::new(&python).args(["-c", &wanted])))
                    .then(|| format!("{} cannot import {module}; run make conformance", python.display()))
            }
            Need::Node => {
                let addon = client("node/node_modules/aws-lambda-ric/rapid-client.node");
                // The addon connects when it is loaded; it needs an address, and nobody at it.
                let load = "const m={exports:{}};process.dlopen(m,process.argv[1])";
                let mut node = Command::new("node");
                node.args(["-e", load]).arg(&addon).env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1");
                (!succeeds(&mut node))
                    .then(|| format!("node cannot load {}; run make conformance", addon.display()))
            }
        }
    }
}

/// The value for the lab's `--limits`.
pub(crate) fn wanted_limits() -> String {
    std::env::var("CONFORMANCE_LIMITS").unwrap_or_else(|_| "auto".to_owned())
}

/// A file of the clients' folder.
pub(crate) fn client(file: &str) -> PathBuf {
    let folder = std::env::var_os("CONFORMANCE_CLIENTS").map_or_else(default_clients, PathBuf::from);
    folder.join(file)
}

fn default_clients() -> PathBuf {
    // <target>/debug/deps/conformance-..
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap_or(Path::new("target")).join("conformance")
}

/// A file of this suite's own, by its path below tests/conformance.
pub(crate) fn own(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(file)
}

/// The Python that runs the judges' own programs: `python3` itself, not a shim in front of it, which would count as INIT.
pub(crate) fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let told =
            Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
        let path = String::from_utf8(told.stdout).unwrap();
        std::fs::canonicalize(path.trim()).unwrap()
    })
}

fn succeeds(command: &mut Command) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}
