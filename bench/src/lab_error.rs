//! What can go wrong between the bench and the lab.
//!
//! Apart from the lab and its control port because both fail with the same words. Invariant: whenever the lab may have ended, its
//! last words are quoted.

use std::path::PathBuf;

use http::StatusCode;

use crate::client::Unanswered;
use crate::lab::START_LIMIT;

/// What can go wrong with the lab.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The program cannot be executed.
    #[error("cannot start the lab {program}: {source}; run `make build` first, or name it with --lab")]
    Spawn {
        /// Its path.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It ended before it was ready.
    #[error("the lab ended ({status}) before it was ready; its last words:\n{last_words}")]
    EndedEarly {
        /// Its exit status.
        status: String,
        /// Its standard error.
        last_words: String,
    },
    /// It ended while the bench was measuring.
    #[error("the lab ended ({status}) during the run; its last words:\n{last_words}")]
    EndedMeanwhile {
        /// Its exit status.
        status: String,
        /// Its standard error.
        last_words: String,
    },
    /// It said nothing in time.
    #[error("the lab was not ready within {} s; its last words:\n{last_words}", START_LIMIT.as_secs())]
    NotReady {
        /// Its standard error.
        last_words: String,
    },
    /// Its first line is not the ready line.
    #[error("the lab's ready line cannot be read ({source}): {line:?}; use the lambda-lab of this workspace")]
    ReadyLine {
        /// What it printed.
        line: String,
        /// Why it is no ready line.
        source: serde_json::Error,
    },
    /// A control address that is no address.
    #[error("the lab told the address {0:?}, which is not one; use the lambda-lab of this workspace")]
    Address(String),
    /// A variant the lab does not serve.
    #[error("the lab does not serve the variant {variant:?}; it serves: {served}")]
    NotServed {
        /// The variant.
        variant: String,
        /// The functions of the ready line.
        served: String,
    },
    /// The control port did not answer.
    #[error("{call}: {source}; has the lab ended? Its last words:\n{last_words}")]
    Control {
        /// Method and path.
        call: String,
        /// What came instead of an answer.
        source: Unanswered,
        /// Its standard error.
        last_words: String,
    },
    /// The control port refused.
    #[error("{call}: the lab answered {status}: {message}")]
    Refused {
        /// Method and path.
        call: String,
        /// The HTTP status.
        status: StatusCode,
        /// The lab's message, or the whole body.
        message: String,
    },
}
