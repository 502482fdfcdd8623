//! Takes the traces of a deployed run back from X-Ray, into `traces/documents.jsonl` of the run's folder.
//!
//! Apart from the comparison of traces, so that all that comes after reads one format from one file, wherever the functions
//! ran; and behind the feature `aws`, because the SDK takes longer to build than the bench. Without the feature only the
//! command line is there, which says how to build the rest. Invariant: a document is written as X-Ray gave it, byte by byte;
//! a trace that was asked for and is not whole in the file is named, with what it lacks.
//!
//! Nothing in here has run against AWS itself. What stands in for it in the tests: moto's X-Ray server for `BatchGetTraces`
//! and the documents' bytes (`tests/xray_moto.rs`), and replayed HTTP answers in the shape of X-Ray's API reference for all
//! else, among it Transaction Search, summaries and throttling (`tests/xray_api/`).

pub mod cli;

#[cfg(feature = "aws")]
mod batch;
#[cfg(feature = "aws")]
mod client;
#[cfg(feature = "aws")]
mod collect;
#[cfg(feature = "aws")]
mod document;
#[cfg(feature = "aws")]
mod error;
#[cfg(feature = "aws")]
mod failure;
#[cfg(feature = "aws")]
mod fetch;
#[cfg(feature = "aws")]
mod file;
#[cfg(feature = "aws")]
mod reader;
#[cfg(feature = "aws")]
mod report;
#[cfg(feature = "aws")]
mod retrieval;
#[cfg(feature = "aws")]
mod summaries;
#[cfg(feature = "aws")]
mod trace;
#[cfg(feature = "aws")]
mod trace_id;
#[cfg(feature = "aws")]
mod wanted;

#[cfg(feature = "aws")]
pub use error::FetchError;
#[cfg(feature = "aws")]
pub use fetch::fetch;
