//! Load scenarios in Artillery's own YAML.
//!
//! Apart from the experiment file because the same file also runs in Artillery, here or on Fargate and Lambda, when one machine is too
//! small a load generator. `yaml.rs` is the document, `keys.rs` which keys there are, `check.rs` the rules, `offered.rs` what a
//! profile's load turns send. Invariant: a [`Scenario`] that exists means the same to the built-in engine as to Artillery; a key that
//! only Artillery understands is refused by name.

mod check;
mod duration;
mod error;
mod expect;
mod keys;
mod offered;
mod reader;
#[cfg(test)]
mod tests;
mod yaml;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

pub use error::ScenarioError;
pub use expect::Expect;
pub use offered::{Form, Offered, ScenarioFile};

/// A checked scenario file.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The file, as named.
    pub path: PathBuf,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// `config.target`; the built-in engine sends to each variant's own address.
    pub target: Option<String>,
    /// The load phases, in order; at least one.
    pub phases: Vec<Phase>,
    /// The path that is asked for, from `/`.
    pub url: String,
    /// What an answer must be to be no error.
    pub expect: Expect,
    /// Apdex: answers up to this are satisfying.
    pub apdex_threshold_ms: Option<f64>,
    /// How long a request may take.
    pub time_limit: Option<Duration>,
}

/// A load phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Phase {
    /// Its length, in seconds.
    pub duration_s: f64,
    /// What arrives in it.
    pub arrivals: Arrivals,
}

/// What arrives in a phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrivals {
    /// Nothing.
    Pause,
    /// So many a second, evenly.
    Rate(f64),
    /// From so many a second to so many, in steps of one second.
    Ramp {
        /// In its first second.
        from: f64,
        /// In its last.
        to: f64,
    },
    /// So many in all, evenly.
    Count(u32),
}

impl Scenario {
    /// Reads and checks the scenario file at `path`.
    ///
    /// # Errors
    /// Says the file, the line, the value and the mend of the first thing that is wrong.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScenarioError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Checks `text` as if it were the scenario file at `path`.
    ///
    /// # Errors
    /// As [`Scenario::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ScenarioError> {
        check::scenario(text, path, sha256(text))
    }
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
