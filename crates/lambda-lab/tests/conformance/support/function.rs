//! A function as the command line names it, with the programs that it is made of.
//!
//! Invariant: what is built here are words that a person could have typed after `lambda-lab serve`.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::world::{own, python};

/// A function to be served.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    program: Program,
    options: Vec<OsString>,
    extensions: Map<String, Value>,
    real_extensions: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

#[derive(Clone, Debug)]
enum Program {
    /// The judges' programs/function.py.
    Judge,
    File(PathBuf),
    /// A shell line that becomes the bootstrap.
    Line(String),
}

impl Function {
    fn new(name: &str, program: Program) -> Self {
        let (options, extensions) = (Vec::new(), Map::new());
        let (name, real_extensions, files) = (name.to_owned(), Vec::new(), Vec::new());
        Self { name, program, options, extensions, real_extensions, files }
    }

    /// The judges' own function, which does what its event says.
    pub(crate) fn judge(name: &str) -> Self {
        Self::new(name, Program::Judge)
    }

    /// A program.
    pub(crate) fn program(name: &str, file: &Path) -> Self {
        Self::new(name, Program::File(file.to_owned()))
    }

    /// A shell line, run with `exec`.
    pub(crate) fn line(name: &str, line: String) -> Self {
        Self::new(name, Program::Line(line))
    }

    fn option(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.options.push(name.into());
        self.options.push(value.into());
        self
    }

    pub(crate) fn memory(self, mb: u32) -> Self {
        self.option("--memory", mb.to_string())
    }

    pub(crate) fn timeout(self, seconds: u32) -> Self {
        self.option("--timeout", seconds.to_string())
    }

    pub(crate) fn reserved(self, sandboxes: u32) -> Self {
        self.option("--reserved-concurrency", sandboxes.to_string())
    }

    pub(crate) fn provisioned(self, sandboxes: u32) -> Self {
        self.option("--provisioned-concurrency", sandboxes.to_string())
    }

    pub(crate) fn tracing(self, mode: &str) -> Self {
        self.option("--tracing", mode)
    }

    pub(crate) fn log_format(self, format: &str) -> Self {
        self.option("--log-format", format)
    }

    pub(crate) fn env(self, name: &str, value: &str) -> Self {
        self.option("--env", format!("{name}={value}"))
    }

    /// What the judges' function does before its first `next`.
    #[allow(clippy::needless_pass_by_value)]
    pub(crate) fn init(self, acts: Value) -> Self {
        self.env("INIT", &acts.to_string())
    }

    /// An extension of the judges', which does what `config` says (see programs/extension.py).
    pub(crate) fn extension(mut self, name: &str, config: Value) -> Self {
        self.extensions.insert(name.to_owned(), config);
        self
    }

    /// An extension that is not the judges'.
    pub(crate) fn real_extension(mut self, file: &Path) -> Self {
        self.real_extensions.push(file.to_owned());
        self
    }

    /// A file that lies beside the bootstrap.
    pub(crate) fn file(mut self, file: PathBuf) -> Self {
        self.files.push(file);
        self
    }

    /// The words after `serve`, with the programs they name made in `dir`.
    pub(crate) fn words(&self, dir: &Path) -> Vec<OsString> {
        let home = dir.join(&self.name);
        std::fs::create_dir_all(home.join("extensions")).unwrap();
        for file in &self.files {
            std::fs::copy(file, home.join(file.file_name().unwrap())).unwrap();
        }
        let python = format!("{} -B -S -E", python().display());
        let bootstrap = match &self.program {
            Program::File(file) => file.clone(),
            Program::Line(line) => script(&home.join("bootstrap"), line),
            Program::Judge => {
                let line = format!("{python} {}", own("programs/function.py").display());
                script(&home.join("bootstrap"), &line)
            }
        };
        let mut function = OsString::from(format!("{}=", self.name));
        function.push(bootstrap);
        let mut words = vec!["--function".into(), function];
        words.extend(self.options.iter().cloned());
        for name in self.extensions.keys() {
            let line = format!("{python} {} {name}", own("programs/extension.py").display());
            words.push("--extension".into());
            words.push(script(&home.join("extensions").join(name), &line).into());
        }
        for file in &self.real_extensions {
            words.extend(["--extension".into(), file.into()]);
        }
        if !self.extensions.is_empty() {
            words.push("--env".into());
            words.push(format!("EXTENSIONS={}", json!(self.extensions)).into());
        }
        words
    }
}

fn script(path: &Path, line: &str) -> PathBuf {
    std::fs::write(path, format!("#!/bin/sh\nexec {line}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_owned()
}
