//! The types of `run.json`: everything that any report says.
//!
//! Apart from the computing so that reports link nothing else. Invariant: `schema/run.schema.json` describes exactly these
//! types, keys that are not known are refused, and a number that could not be had is `null`, never 0.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::environment::Environment;

mod capacity;
mod comparison;
mod cost;
mod distribution;
mod ladder;
mod load;
mod older;
mod size;
mod traces;
mod tuning;
mod variant;

pub use capacity::{Beyond, Capacity, CapacityStep, Knee, KneeRatio, Situation};
pub use comparison::{ComparedMetric, Comparison, Control, Difference};
pub use cost::Cost;
pub use distribution::{Distribution, Distributions, LoadSecond};
pub use ladder::{Earned, Rung};
pub use load::{Load, SendLag};
pub use size::{CrateSize, PackageSize};
pub use traces::TraceComparison;
pub use tuning::{TunedFunction, TunedPoint, Tuning};
pub use variant::{Dependencies, Outliers, Quantiles, TracingCost, Variant};

/// The version these types write; older ones are read too, see `older.rs`.
pub const SCHEMA_VERSION: u32 = 5;

/// A run file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RunFileError {
    /// It cannot be read.
    #[error("{path}: {source}; name a run.json that `bench run` wrote")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what this version writes.
    #[error("{path}: {source}; expected a run.json of schema_version {SCHEMA_VERSION}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// It is of another version.
    #[error(
        "{path}: schema_version is {found}, this bench reads 1 to {SCHEMA_VERSION}; measure again or use the bench that wrote it"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
}

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFile {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The experiment's name.
    pub experiment: String,
    /// Its sentence.
    pub description: String,
    /// The load profile's name.
    pub profile: String,
    /// When the run began, UTC, ISO 8601.
    pub started: String,
    /// When it ended, UTC, ISO 8601.
    pub finished: String,
    /// Where and how it was measured.
    pub environment: Environment,
    /// What was modelled rather than measured, in the words of the report.
    pub modelled: Vec<String>,
    /// What the target does not emulate, in the words of the report.
    pub not_emulated: Vec<String>,
    /// Where every request of the run went.
    pub accounting: Accounting,
    /// In the experiment's order.
    pub variants: Vec<Variant>,
    /// The first variant to each other, and, where there is no ladder, the second to the last.
    pub comparisons: Vec<Comparison>,
    /// Variants measured twice in every round and compared with themselves: what a difference must exceed to be one. Empty where
    /// the run had no such control.
    pub control: Vec<Control>,
    /// What each lever earned, where the experiment's variants are rungs; else empty.
    pub ladder: Vec<Rung>,
    /// How many requests a second each variant carried, where the run asked that.
    pub capacity: Option<Capacity>,
    /// What each package weighs, by crate, where the run asked that; else empty.
    pub sizes: Vec<PackageSize>,
    /// Each variant over memory sizes, where the run asked that.
    pub tuning: Option<Tuning>,
    /// Where the time went, step by step; none where nothing was traced, or only one variant.
    pub traces: Option<TraceComparison>,
    /// Why it ended before its plan was done; none for a whole run.
    pub partial: Option<Partial>,
}

/// A run that ended early: what it has is of its whole rounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partial {
    /// What ended it, in one sentence.
    pub reason: String,
    /// The rounds in which every variant had all its turns.
    pub rounds: u32,
}

/// `sent = answered + failed + dropped`, over all variants, rounds and phases, warm-up included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounting {
    /// Requests the plan wanted sent.
    pub sent: u64,
    /// Answered with a 2xx status.
    pub answered: u64,
    /// Answered otherwise, or not at all.
    pub failed: u64,
    /// Never sent, because too many were in flight.
    pub dropped: u64,
}

impl RunFile {
    /// The rounds in which every variant had all its turns: those of the profile, or fewer where the run ended early.
    pub fn whole_rounds(&self) -> u32 {
        self.partial.as_ref().map_or(self.environment.profile.rounds, |partial| partial.rounds)
    }

    /// Reads the run file at `path`.
    ///
    /// # Errors
    /// If it cannot be read, or is not of this version or an older one.
    pub fn load(path: &Path) -> Result<Self, RunFileError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| RunFileError::Unreadable { path: path.to_owned(), source })?;
        let malformed = |source| RunFileError::Malformed { path: path.to_owned(), source };
        let value: serde_json::Value = serde_json::from_str(&text).map_err(malformed)?;
        let version = value.get("schema_version").and_then(serde_json::Value::as_u64);
        match version {
            Some(older) if older::VERSIONS.contains(&older) => {
                serde_json::from_value(older::upgraded(value, SCHEMA_VERSION)).map_err(malformed)
            }
            Some(found) if found != u64::from(SCHEMA_VERSION) => {
                Err(RunFileError::Version { path: path.to_owned(), found })
            }
            // From the text, not the value: only the text's errors know their line.
            _ => serde_json::from_str(&text).map_err(malformed),
        }
    }
}
