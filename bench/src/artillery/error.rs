//! Why there is nothing to put beside each other.
//!
//! Apart from the measuring because reports from elsewhere are refused in the same words. Invariant: each says the mend.

use std::path::PathBuf;

use crate::run::RunError;
use crate::run_file::RunFileError;

/// Why `bench artillery` came to no table.
#[derive(Debug, thiserror::Error)]
pub enum ArtilleryError {
    /// Whatever can go wrong in a run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The run beside which a report is put.
    #[error(transparent)]
    RunFile(#[from] RunFileError),
    /// No Node.js.
    #[error(
        "cannot start Node.js ({node}): {source}; Artillery needs it: install node and npm, version 20 or later, or name the program with --node. The built-in engine does not: `make bench`"
    )]
    Node {
        /// The program.
        node: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No Artillery.
    #[error(
        "{path} is missing; `scripts/artillery` installs Artillery from npm and prints the program to name with --artillery"
    )]
    NotInstalled {
        /// The program.
        path: PathBuf,
    },
    /// It ended badly.
    #[error("Artillery ended ({status}) at variant {variant:?}; the end of {log}:{end}")]
    Ended {
        /// Its exit status.
        status: String,
        /// The variant it loaded.
        variant: String,
        /// What it printed.
        log: PathBuf,
        /// The last lines of that, each on a line of its own.
        end: String,
    },
    /// A file beside Artillery.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A report that is none.
    #[error(
        "{path}: {why}; expected what `artillery run --output FILE.json` (or run:fargate, run:lambda) writes"
    )]
    Report {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A variant that is not there.
    #[error("variant {asked:?} is not in {place}; it has: {known}")]
    NoSuchVariant {
        /// The name asked for.
        asked: String,
        /// The experiment or run file.
        place: PathBuf,
        /// The names there are.
        known: String,
    },
    /// A run without load.
    #[error("{path}: no variant of the run had a load phase; run a profile with arrivals or scenarios")]
    NoLoad {
        /// The run file.
        path: PathBuf,
    },
}
