//! Why no traces were fetched, and what to do about it.
//!
//! Apart from the failures of single calls, which may pass by themselves: what is here stops the fetch. Invariant: every
//! message says which file, call or region, and what mends it.

use std::path::PathBuf;

use crate::json_lines::JsonLinesError;

/// Why a fetch stopped.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// A file of the run.
    #[error(transparent)]
    File(#[from] JsonLinesError),
    /// The folder is not a run's.
    #[error(
        "{folder} has neither invocations.jsonl nor samples.jsonl; name the folder of a run, such as bench/results/latest, \
         or ask by --filter with a folder that exists"
    )]
    NoRun {
        /// The folder.
        folder: PathBuf,
    },
    /// There is no trace to ask for.
    #[error(
        "none of the {lines} requests of {folder} was sampled, so X-Ray has no trace of it; measure again with TRACING=sampled"
    )]
    NothingSampled {
        /// The run's folder.
        folder: PathBuf,
        /// How many requests it has.
        lines: u64,
    },
    /// The run's documents came from elsewhere.
    #[error(
        "{path}, line {line}: its source is {found:?}, so the run was traced by the lab and not by X-Ray; name a run of \
         TARGET=aws, or move the file away"
    )]
    NotFromXRay {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// Where its documents came from.
        found: String,
    },
    /// The result cannot be written.
    #[error(
        "{path}: {source}; the traces were fetched but not kept: make the folder writable and fetch again"
    )]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Nobody said where the account's traces are.
    #[error("no AWS region is set; set AWS_REGION to the region that the functions are deployed in")]
    NoRegion,
    /// Nobody is signed in.
    #[error(
        "no AWS credentials: {why}; sign in, then run `eval \"$(aws configure export-credentials --format env)\"` (this \
         program reads keys from the environment, the shared files, web identity, containers and instances, not SSO itself)"
    )]
    NoCredentials {
        /// What the chain of providers said.
        why: String,
    },
    /// The credentials are not, or no longer, good.
    #[error("{operation} in {region}: {why}; the credentials are wrong or have expired: sign in again")]
    BadCredentials {
        /// The call.
        operation: &'static str,
        /// The region.
        region: String,
        /// What AWS said.
        why: String,
    },
    /// The credentials do not allow the call.
    #[error("{operation} in {region}: {why}; allow xray:{operation} (AWSXrayReadOnlyAccess has it){mend}")]
    Denied {
        /// The call.
        operation: &'static str,
        /// The region.
        region: String,
        /// What AWS said.
        why: String,
        /// Another way, where there is one.
        mend: &'static str,
    },
    /// AWS does not take the call as it is.
    #[error("{operation} in {region} was refused: {why}{mend}")]
    Refused {
        /// The call.
        operation: &'static str,
        /// The region.
        region: String,
        /// What AWS said.
        why: String,
        /// What to do, where it is known.
        mend: &'static str,
    },
    /// A call that all else depends on did not come through.
    #[error(
        "{operation} in {region} did not succeed: {why}; check the network and the region, and try again"
    )]
    Unavailable {
        /// The call.
        operation: &'static str,
        /// The region.
        region: String,
        /// The last failure.
        why: String,
    },
    /// The filter expression finds nothing.
    #[error(
        "no trace in {region} matches {filter} from {since} to {until}; check the expression, the times (UTC) and the region. \
         Where Transaction Search is on, only the indexed share of all traces is found by expressions"
    )]
    NoMatch {
        /// The region.
        region: String,
        /// The filter expression.
        filter: String,
        /// The first instant.
        since: jiff::Timestamp,
        /// The last.
        until: jiff::Timestamp,
    },
    /// The times are in the wrong order.
    #[error("--since {since} is not before --until {until}")]
    NoTime {
        /// The first instant.
        since: jiff::Timestamp,
        /// The last.
        until: jiff::Timestamp,
    },
    /// Nothing came at all.
    #[error(
        "X-Ray in {region} has no document of any of the {asked} traces asked for ({why}); check the region, that the \
         functions' tracing is Active, and that their roles may send traces (AWSXRayDaemonWriteAccess). Documents are kept for \
         30 days. No file was changed"
    )]
    NothingFound {
        /// The region.
        region: String,
        /// How many traces were asked for.
        asked: usize,
        /// How the search ended.
        why: String,
    },
    /// Something stopped the fetch in the middle.
    #[error("stopped in the middle, what had come by then is written: {cause}")]
    Interrupted {
        /// What.
        cause: Box<FetchError>,
    },
}
