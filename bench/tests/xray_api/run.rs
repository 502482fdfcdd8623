//! A run's folder, and the program on it.

use std::path::PathBuf;
use std::process::Command;

#[cfg(feature = "aws")]
use serde_json::Value;

/// A folder with an `invocations.jsonl`.
pub(crate) struct Run {
    folder: tempfile::TempDir,
}

/// What the program said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    #[cfg_attr(not(feature = "aws"), allow(dead_code, reason = "only a fetch prints"))]
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// A run with one sampled invocation of each trace.
    pub(crate) fn of(trace_ids: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let line = |id: &&str| format!("{{\"function\":\"f\",\"trace_id\":\"{id}\",\"sampled\":true}}\n");
        let lines: String = trace_ids.iter().map(line).collect();
        std::fs::write(folder.path().join("invocations.jsonl"), lines).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `bench fetch-traces`, quick to look again, against the X-Ray at `endpoint`.
    pub(crate) fn fetch(&self, endpoint: &str, more: &[&str]) -> Said {
        let keys = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
        let region = [("AWS_REGION", "eu-central-1")];
        self.fetch_as(endpoint, &[&keys[..], &region[..]].concat(), more)
    }

    /// The same with only these environment variables: what the machine is signed in with stays out.
    pub(crate) fn fetch_as(&self, endpoint: &str, environment: &[(&str, &str)], more: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
        command.arg("fetch-traces").arg(self.folder.path()).args(more);
        for (option, usual) in [("--poll-s", "0.05"), ("--patience-s", "0.6")] {
            if !more.iter().any(|own| own.starts_with(option)) {
                command.args([option, usual]);
            }
        }
        command.env_clear().env("HOME", self.folder.path()).env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_ENDPOINT_URL_XRAY", endpoint).envs(environment.iter().copied());
        let output = command.output().unwrap();
        Said {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

#[cfg(feature = "aws")]
impl Run {
    /// The lines of `traces/documents.jsonl`.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("traces/documents.jsonl")).unwrap();
        assert!(text.ends_with('\n'));
        text.lines().map(str::to_owned).collect()
    }

    /// The documents' own texts, cut out of the lines without reading them.
    pub(crate) fn documents(&self) -> Vec<String> {
        let cut = |line: &String| Some(line.split_once("\"document\":")?.1.strip_suffix('}')?.to_owned());
        self.lines().iter().map(|line| cut(line).unwrap()).collect()
    }

    pub(crate) fn report(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.path("traces/fetch.json")).unwrap()).unwrap()
    }
}
