//! Test support: an experiment in a folder of its own, and the bench's binary run on it with the fake lab.

#![allow(dead_code, reason = "each test that includes this uses its own part of it")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// An experiment file with built functions, and where its results go.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

/// What a finished command said.
pub(crate) struct Said {
    pub(crate) succeeded: bool,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A variant of the experiment file; `env` as in a TOML inline table.
pub(crate) fn variant(name: &str, memory_mb: u32, env: &str) -> String {
    format!(
        "[[variant]]\nname = \"{name}\"\npackage = \"{name}\"\nmemory_mb = {memory_mb}\ntimeout_s = 10\nenv = {{ {env} }}\n\n"
    )
}

impl Bench {
    /// Writes the experiment and a program for each of its variants.
    pub(crate) fn new(variants: &str, profiles: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text =
            format!("[experiment]\nname = \"pair\"\ndescription = \"Two fakes.\"\n\n{variants}\n{profiles}");
        std::fs::write(folder.path().join("pair.toml"), &text).unwrap();
        for line in text.lines() {
            if let Some(package) = line.strip_prefix("package = \"").and_then(|rest| rest.strip_suffix('"')) {
                let dir = folder.path().join("built").join(package);
                std::fs::create_dir_all(&dir).unwrap();
                std::fs::write(dir.join("bootstrap"), "never run by the fake lab").unwrap();
            }
        }
        Self { folder }
    }

    pub(crate) fn functions_dir(&self) -> PathBuf {
        self.folder.path().join("built")
    }

    pub(crate) fn results(&self) -> PathBuf {
        self.folder.path().join("results")
    }

    /// The run's folder; there must be one.
    pub(crate) fn only_folder(&self) -> PathBuf {
        let entries = std::fs::read_dir(self.results()).unwrap().map(|entry| entry.unwrap().path());
        let mut folders: Vec<PathBuf> = entries.filter(|path| !path.ends_with("latest")).collect();
        assert_eq!(folders.len(), 1, "{folders:?}");
        folders.remove(0)
    }

    /// What the fake lab wrote into its log: its process number, the control calls, its orderly end.
    pub(crate) fn lab_log(&self) -> String {
        std::fs::read_to_string(self.only_folder().join("logs/lab.log")).unwrap()
    }

    /// The fake lab's process number.
    pub(crate) fn lab_process(&self) -> i32 {
        self.lab_log().lines().next().unwrap().strip_prefix("pid ").unwrap().parse().unwrap()
    }

    /// Starts `bench run` with the profile `quick`.
    pub(crate) fn start(&self) -> Child {
        self.start_with(&[])
    }

    /// Runs it with files of at most so many KiB, which is what a full disk comes to: writing fails.
    pub(crate) fn run_with_small_files(&self, limit: &str) -> Said {
        let mut shell = Command::new("bash");
        // A shell's ulimit counts KiB; unless ignored, the signal would end the process.
        shell.args(["-c", &format!("trap '' XFSZ; ulimit -S -f {limit}; exec \"$@\""), "bash"]);
        shell.arg(env!("CARGO_BIN_EXE_bench"));
        said(self.spawn(shell, &[]).wait_with_output().unwrap())
    }

    fn start_with(&self, more: &[&str]) -> Child {
        self.spawn(Command::new(env!("CARGO_BIN_EXE_bench")), more)
    }

    fn spawn(&self, mut command: Command, more: &[&str]) -> Child {
        command.args(["run", "--profile", "quick", "--experiment"]).arg(self.folder.path().join("pair.toml"));
        command.arg("--lab").arg(fake_lab()).arg("--functions-dir").arg(self.functions_dir());
        command.arg("--results").arg(self.results()).args(more);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Starts `bench capacity` with the profile `quick` of `settings`.
    pub(crate) fn start_capacity(&self, settings: &str) -> Child {
        let file = self.folder.path().join("capacity.toml");
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
        command.args(["capacity", "--profile", "quick", "--settings"]).arg(file);
        command.arg("--experiment").arg(self.folder.path().join("pair.toml"));
        command.arg("--lab").arg(fake_lab()).arg("--functions-dir").arg(self.functions_dir());
        command.arg("--results").arg(self.results());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs it to its end.
    pub(crate) fn capacity(&self, settings: &str) -> Said {
        said(self.start_capacity(settings).wait_with_output().unwrap())
    }

    /// Starts `bench artillery` with the file `scenario` and `more` arguments.
    #[allow(dead_code, reason = "only the tests of scenarios use it")]
    pub(crate) fn start_artillery(&self, scenario: &Path, more: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
        command.arg("artillery").arg("--experiment").arg(self.folder.path().join("pair.toml"));
        command.arg("--lab").arg(fake_lab()).arg("--functions-dir").arg(self.functions_dir());
        command.arg("--results").arg(self.results()).arg("--scenario").arg(scenario).args(more);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// A file beside the experiment.
    #[allow(dead_code, reason = "only the tests of scenarios use it")]
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn run(&self) -> Said {
        self.run_with(&[])
    }

    /// Runs it with `more` arguments.
    pub(crate) fn run_with(&self, more: &[&str]) -> Said {
        said(self.start_with(more).wait_with_output().unwrap())
    }

    /// The message of a run that must fail.
    pub(crate) fn refusal(&self) -> String {
        let said = self.run();
        assert_eq!(said.code, Some(1), "{}{}", said.stdout, said.stderr);
        said.stderr
    }

    pub(crate) fn table(&self, run_json: &Path) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
        said(command.arg("table").arg(run_json).output().unwrap())
    }
}

pub(crate) fn said(output: std::process::Output) -> Said {
    Said {
        succeeded: output.status.success(),
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The example `fake-lab`, which cargo builds beside the binaries whenever it builds all tests.
fn fake_lab() -> PathBuf {
    let binaries = Path::new(env!("CARGO_BIN_EXE_bench")).parent().unwrap();
    let path = binaries.join("examples/fake-lab");
    assert!(path.is_file(), "{} is missing; run `cargo build -p bench --examples`", path.display());
    path
}

/// Whether no process has this number any more.
pub(crate) fn process_is_gone(process: i32) -> bool {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(process), None).is_err()
}
