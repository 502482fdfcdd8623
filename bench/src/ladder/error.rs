//! Why no ladder can be shown.
//!
//! Apart from the reading because choosing runs fails with it too. Invariant: each message names the file, what is wrong and the mend.

use std::path::PathBuf;

use crate::run_file::RunFileError;

/// Why no ladder can be shown.
#[derive(Debug, thiserror::Error)]
pub enum LadderError {
    /// A run file.
    #[error(transparent)]
    RunFile(#[from] RunFileError),
    /// It has no rungs.
    #[error(
        "{path} has no ladder: no variant of its experiment {experiment:?} has a lever; measure one with `make ladder`, or give the \
         variants of an experiment file levers (docs/EXPERIMENT-FILE.md)"
    )]
    NoLadder {
        /// The run file.
        path: PathBuf,
        /// Its experiment.
        experiment: String,
    },
    /// Two runs are of different ladders.
    #[error(
        "{one} and {other} are of different ladders, at rung {place}: {in_one} in the first, {in_other} in the second; name runs of \
         one experiment file, each measured after its last change"
    )]
    Differ {
        /// The first run file.
        one: PathBuf,
        /// The one that differs.
        other: PathBuf,
        /// Which rung, from 1.
        place: usize,
        /// What stands there in the first.
        in_one: String,
        /// And in the other.
        in_other: String,
    },
    /// Its rungs are not each compared with one full set.
    #[error(
        "{path} is no leave-one-out run: {rung:?} is compared with {against:?}, others with {full:?}; name a run whose levers are \
         all against one variant, as in bench/experiments/ladder-leave-one-out.toml"
    )]
    NotLeaveOneOut {
        /// The run file.
        path: PathBuf,
        /// The first rung that is compared with another variant.
        rung: String,
        /// That variant.
        against: String,
        /// What the rungs before it are compared with.
        full: String,
    },
    /// The output.
    #[error("{path}: {source}; name a file you may write with --output")]
    Output {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
