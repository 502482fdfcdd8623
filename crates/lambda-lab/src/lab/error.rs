//! Why a lab could not be started.
//!
//! Apart because it gathers the errors of every part. Invariant: each message holds its cause and the mend.

use crate::experiment::ExperimentError;
use crate::function::FunctionError;
use crate::limits::LimitsError;

/// Why a lab could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The experiment cannot be run as it stands.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// A function cannot be served.
    #[error(transparent)]
    Function(#[from] FunctionError),
    /// The lab's own folder or certificates could not be made.
    #[error("cannot prepare the lab: {0}")]
    Prepare(String),
    /// The limits asked for cannot be had here.
    #[error(transparent)]
    Limits(#[from] LimitsError),
    /// A server did not come up.
    #[error("{0}")]
    Service(String),
    /// A port could not be opened.
    #[error("cannot listen on 127.0.0.1:{port}: {source}; choose another with --port, or 0 for a free one")]
    Port {
        /// The port asked for.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// A sandbox of provisioned concurrency did not come up.
    #[error("function {function}: a provisioned sandbox failed in INIT: {reason}; its last output:{output}")]
    Provisioned {
        /// The function's name.
        function: String,
        /// What went wrong.
        reason: String,
        /// The end of its log.
        output: String,
    },
    /// A setup function failed.
    #[error("setup function {function} failed: {reason}; its last output:{output}")]
    Setup {
        /// The function's name.
        function: String,
        /// What went wrong.
        reason: String,
        /// The end of its log.
        output: String,
    },
}

pub(super) fn prepare(error: impl std::fmt::Display) -> LabError {
    LabError::Prepare(error.to_string())
}
