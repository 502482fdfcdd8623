//! Why a scenario file cannot be run by the built-in engine, and where in the file that is.
//!
//! Apart from the rules, which all refuse in these words. Invariant: each names the file, and where there is one the line and
//! the value, and says the mend.

use std::path::PathBuf;

/// Why a scenario file cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// It cannot be read.
    #[error(
        "scenario file {path}: {source}; name an existing file, relative to the experiment file's folder in its `scenarios`, or with --scenario"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not YAML, or has a key twice.
    #[error("scenario file {path}{line}: {message}; mend the YAML", line = on_line(*.line))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Its line, from 1, where the reader knows it.
        line: Option<u64>,
        /// The YAML reader's words.
        message: String,
    },
    /// A value is impossible, or is missing.
    #[error("scenario file {path}, line {line}: {key} = {value}: {expected}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: u64,
        /// The key whose value is wrong.
        key: String,
        /// The value.
        value: String,
        /// What is expected instead.
        expected: String,
    },
    /// Artillery knows the key, the built-in engine does not.
    #[error(
        "scenario file {path}, line {line}: the built-in engine does not support {key}; take it out, or run the file in Artillery itself: `make bench-artillery SCENARIO={path}`"
    )]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: u64,
        /// The key, with where it stands.
        key: String,
    },
    /// Neither knows the key.
    #[error(
        "scenario file {path}, line {line}: {key} is no key that Artillery's documentation has there; expected one of: {known}"
    )]
    Unknown {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: u64,
        /// The key, with where it stands.
        key: String,
        /// The keys that are supported there.
        known: String,
    },
    /// The files of one profile ask for different things.
    #[error(
        "scenario files {first} and {other} differ in {what}: {left} and {right}; the files of one profile load one function in one way: make them alike, or run them one after the other"
    )]
    Differ {
        /// The first file.
        first: PathBuf,
        /// The one that differs.
        other: PathBuf,
        /// In what.
        what: &'static str,
        /// The first's.
        left: String,
        /// The other's.
        right: String,
    },
}

fn on_line(line: Option<u64>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}
