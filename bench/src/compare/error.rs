//! Why two runs are not compared.
//!
//! Apart from the reading and the computing because both fail here. Invariant: each message names the file or the name that is
//! wrong, and what to do.

use std::path::PathBuf;

use crate::run_file::RunFileError;

/// Why two runs are not compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A file that is no run's.
    #[error(transparent)]
    RunFile(#[from] RunFileError),
    /// A run of a version that kept no values by round.
    #[error(
        "{path}: a run of schema_version {version} has no values by round (`per_round`, since 4), so it cannot be compared with \
         another run; measure its commit again with this bench, or read its table with `bench table`"
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// A run without them although its version knows them.
    #[error(
        "{path}: no variant of this run has values by round (`per_round`); expected a run of `bench run` with at least one whole round"
    )]
    NoRounds {
        /// The file.
        path: PathBuf,
    },
    /// Runs of other variants.
    #[error(
        "the runs have no variant in common: the first has {from}; the second has {to}; compare runs of one experiment"
    )]
    NothingShared {
        /// The first run's.
        from: String,
        /// The second run's.
        to: String,
    },
    /// A reference that one of the runs lacks.
    #[error("--reference {name:?} is not a variant of both runs; both have: {shared}")]
    Reference {
        /// What was asked for.
        name: String,
        /// What there is.
        shared: String,
    },
}
