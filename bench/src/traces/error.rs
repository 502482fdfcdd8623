//! Why a run's traces cannot be compared.
//!
//! Apart from the reading because choosing variants fails with it too. Invariant: each message names what is wrong, where, and what
//! to do.

use std::path::PathBuf;

use crate::json_lines::JsonLinesError;

/// Why a run's traces cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// A file of the run.
    #[error(transparent)]
    File(#[from] JsonLinesError),
    /// The run has none.
    #[error(
        "{folder} has no traces: {why}; measure again with `make bench TRACING=sampled` (docs/TRACES.md)"
    )]
    NoTraces {
        /// The run's folder.
        folder: PathBuf,
        /// What is missing.
        why: String,
    },
    /// There is nothing to compare.
    #[error(
        "only variant {known:?} has traces; measure a second one too, or name it twice with --from and --to"
    )]
    OneVariant {
        /// The one that has.
        known: String,
    },
    /// A variant that has no traces, or is none.
    #[error(
        "no traces of variant {wanted:?}; the run has traces of {known}: name two of them with --from and --to"
    )]
    UnknownVariant {
        /// What was asked for.
        wanted: String,
        /// What there is.
        known: String,
    },
}
