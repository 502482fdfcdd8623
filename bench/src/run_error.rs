//! Why a run came to no result, or to less than it was meant to.
//!
//! Apart from the run, whose order of steps is read without it. Invariant: each is one message that says the mend, or the message of
//! the part that failed.

use std::path::PathBuf;

use lambda_lab::experiment::ExperimentError;

use crate::bodies::BodiesError;
use crate::gate::GateError;
use crate::lab_error::LabError;
use crate::package::PackageError;
use crate::phases::PhaseError;
use crate::prices::PriceError;
use crate::programs::ProgramError;
use crate::recorder::RecordError;
use crate::result_folder::FolderError;
use crate::scenario::ScenarioError;

/// Why a run came to no result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The experiment file.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// A scenario file.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// A program that is not there.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A package that cannot be weighed.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// What is asked of it cannot be answered.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The prices.
    #[error(transparent)]
    Price(#[from] PriceError),
    /// The result folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The lab.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// The variants do not do the same.
    #[error(transparent)]
    Bodies(#[from] BodiesError),
    /// A variant does not answer as it should, and its log says why.
    #[error("{source}; the end of {log}:{end}", log = .log.display())]
    Unhealthy {
        /// What it answered.
        source: Box<BodiesError>,
        /// Its log.
        log: PathBuf,
        /// The log's last lines, each on a line of its own.
        end: String,
    },
    /// A turn.
    #[error(transparent)]
    Phase(#[from] PhaseError),
    /// The samples or records.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A path that is not there.
    #[error("{path}: {source}; name an existing one")]
    Path {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The user ended it.
    #[error("interrupted; what was measured is in {folder}", folder = .folder.display())]
    Interrupted {
        /// 128 plus the signal's number.
        exit_code: u8,
        /// The result folder.
        folder: PathBuf,
    },
    /// It ended early, and its figures could not be written either.
    #[error("{ended}; run.json could not be written either, the table is all there is of the figures")]
    Unwritten {
        /// What ended it.
        ended: Box<RunError>,
    },
}
