//! A lab as a user has it: the `lambda-lab` binary as a process.
//!
//! Invariant: it ends with the case that started it, also when that fails; what it said is shown then.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::Value;

use super::function::Function;
use super::http::{Answer, send};
use super::notes::Notes;
use super::wait::until;
use super::world::wanted_limits;

/// A running lab.
pub(crate) struct Lab {
    child: Child,
    /// The ready line.
    pub(crate) ready: Value,
    /// Removed with the lab; functions may use it.
    pub(crate) dir: tempfile::TempDir,
}

impl Lab {
    /// Serves `functions`.
    pub(crate) fn serve(functions: impl IntoIterator<Item = Function>) -> Self {
        Self::serve_in(tempfile::tempdir().unwrap(), functions, &[])
    }

    /// Serves `functions` whose files are in `dir`, with further options of the lab's.
    pub(crate) fn serve_in(
        dir: tempfile::TempDir,
        functions: impl IntoIterator<Item = Function>,
        options: &[&str],
    ) -> Self {
        let mut words: Vec<OsString> = vec!["serve".into(), "--ready-line".into(), "--with-parent".into()];
        let limits = wanted_limits();
        words.extend(["--limits", &limits].map(Into::into));
        for (option, file) in [("--logs", "log"), ("--records", "records")] {
            words.extend([option.into(), dir.path().join(file).into()]);
        }
        words.extend(options.iter().map(Into::into));
        words.extend(functions.into_iter().flat_map(|function| function.words(dir.path())));
        let child = Command::new(env!("CARGO_BIN_EXE_lambda-lab"))
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(dir.path().join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let mut lab = Self { child, ready: Value::Null, dir };
        let mut line = String::new();
        BufReader::new(lab.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the lab did not start");
        lab.ready = serde_json::from_str(&line).unwrap();
        lab
    }

    /// A path in the lab's folder, as text for an act or a variable.
    pub(crate) fn path(&self, file: &str) -> String {
        self.dir.path().join(file).display().to_string()
    }

    /// The HTTP API's address of `function`.
    pub(crate) fn url(&self, function: &str) -> String {
        let functions = self.ready["functions"].as_array().unwrap();
        let found = functions.iter().find(|one| one["name"] == function).unwrap();
        found["url"].as_str().unwrap().to_owned()
    }

    /// The front's own address, which the Invoke API's clients take as their endpoint.
    pub(crate) fn endpoint(&self) -> String {
        let url = self.ready["functions"][0]["url"].as_str().unwrap().to_owned();
        url.rsplit_once('/').unwrap().0.to_owned()
    }

    /// Invokes `function` by the Invoke API.
    #[allow(clippy::needless_pass_by_value)]
    pub(crate) fn invoke(&self, function: &str, event: Value) -> Answer {
        self.invoke_with(function, event.to_string().into(), &[])
    }

    /// Invokes `function` by the Invoke API with headers and any payload.
    pub(crate) fn invoke_with(&self, function: &str, payload: Bytes, headers: &[(&str, &str)]) -> Answer {
        let uri = format!("{}/2015-03-31/functions/{function}/invocations", self.endpoint());
        let request = headers
            .iter()
            .fold(Request::post(uri), |request, (name, value)| request.header(*name, *value))
            .body(Full::new(payload));
        send(request.unwrap())
    }

    /// Invokes `function` and expects it to succeed; its response.
    #[allow(clippy::needless_pass_by_value)]
    pub(crate) fn ask(&self, function: &str, event: Value) -> Value {
        let answer = self.invoke(function, event.clone());
        let failed = answer.status != 200 || !answer.header("x-amz-function-error").is_empty();
        assert!(!failed, "{event} was answered {answer:?}");
        answer.json()
    }

    /// Sends `act` to `function` by the HTTP API.
    #[allow(clippy::needless_pass_by_value)]
    pub(crate) fn post(&self, function: &str, act: Value) -> Answer {
        let request = Request::post(self.url(function)).header("content-type", "application/json");
        send(request.body(Full::from(act.to_string())).unwrap())
    }

    /// `POST` at the control port.
    pub(crate) fn control(&self, path: &str) -> Answer {
        let uri = format!("{}{path}", self.ready["control"].as_str().unwrap());
        let authorization = format!("Bearer {}", self.ready["token"].as_str().unwrap());
        send(Request::post(uri).header("authorization", authorization).body(Full::default()).unwrap())
    }

    /// Ends the sandboxes of `function`; how many there were.
    pub(crate) fn retire(&self, function: &str) -> u64 {
        let answer = self.control(&format!("/retire/{function}"));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["sandboxes"].as_u64().unwrap()
    }

    /// The log of all functions so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// The log, once it contains `text`.
    pub(crate) fn log_with(&self, text: &str) -> String {
        until(&format!("{text:?} in the log"), || Some(self.log()).filter(|log| log.contains(text)))
    }

    /// Waits until the log contains `text` `count` times.
    pub(crate) fn log_with_count(&self, text: &str, count: usize) {
        until(&format!("{text:?} {count} times"), || {
            (self.log().matches(text).count() >= count).then_some(())
        });
    }

    /// The REPORT lines, once there are `count`.
    pub(crate) fn reports(&self, count: usize) -> Vec<String> {
        until(&format!("{count} REPORT lines"), || {
            let log = self.log();
            let whole = log.rfind('\n').map_or("", |end| &log[..=end]);
            let reports = whole.split_inclusive('\n').filter(|line| line.starts_with("REPORT "));
            let reports: Vec<_> = reports.map(str::to_owned).collect();
            (reports.len() >= count).then_some(reports)
        })
    }

    /// The records of all invocations, once there are `count`.
    pub(crate) fn records(&self, count: usize) -> Vec<Value> {
        let records = Notes(self.dir.path().join("records"));
        until(&format!("{count} records"), || Some(records.all()).filter(|all| all.len() >= count))
    }

    /// The id of the lab's process.
    pub(crate) fn pid(&self) -> Value {
        self.child.id().into()
    }

    /// What the lab itself said.
    pub(crate) fn stderr(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("stderr")).unwrap_or_default()
    }

    /// Ends the lab as its parent's end does; its folder outlives it.
    pub(crate) fn end(&mut self) -> ExitStatus {
        drop(self.child.stdin.take());
        until("the lab to end", || self.child.try_wait().unwrap())
    }

    /// Ends the lab and expects that it ends well.
    pub(crate) fn stop(mut self) {
        let status = self.end();
        assert!(status.success(), "the lab ended with {status}");
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the lab said:\n{}\nand logged:\n{}", last(&self.stderr()), last(&self.log()));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn last(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    let cut = |line: &&str| line.chars().take(300).collect::<String>();
    lines[lines.len().saturating_sub(25)..].iter().map(cut).collect::<Vec<_>>().join("\n")
}

/// `file` in `dir`, as text.
pub(crate) fn in_dir(dir: &Path, file: &str) -> String {
    PathBuf::from(dir).join(file).display().to_string()
}
