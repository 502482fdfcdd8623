//! Why a rung could not answer, and what its client gets then.
//!
//! Apart from the functions' own errors because a rung mixes their modules. Invariant: as in both functions, a failure becomes a
//! problem document; its cause goes to the log and never to the client.

use std::error::Error;

use stadium_core::{Answer, Problem, Stadium};

/// Why a request could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Settings or rows could not be had.
    #[error("{0}")]
    Dependency(Box<dyn Error + Send + Sync>),
    /// The rows could not be written as JSON.
    #[error("serialize: {0}")]
    Serialize(#[from] serde_json::Error),
    /// The invocation's time was nearly over.
    #[cfg(feature = "lean")]
    #[error(transparent)]
    OutOfTime(#[from] optimized::budget::OutOfTime),
}

impl Failure {
    /// Something that the function depends on failed with `error`.
    pub fn dependency(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Dependency(Box::new(error))
    }
}

/// The answer that holds `stadiums`, as both functions make it.
///
/// # Errors
/// Rows that cannot be written as JSON.
pub fn answered(stadiums: &[Stadium]) -> Result<Answer, Failure> {
    let body = telemetry::step!("serialize").in_scope(|| serde_json::to_string(stadiums))?;
    tracing::info!(stadiums = stadiums.len(), "answered from the database");
    Ok(Answer::json(body))
}

/// The answer a client gets, whatever happened.
pub fn answer(result: Result<Answer, Failure>, trace_id: Option<&str>) -> Answer {
    result.unwrap_or_else(|error| {
        tracing::error!(%error, "request failed");
        match error {
            Failure::Serialize(_) => Problem::internal(trace_id).into_answer(),
            _ => Problem::unavailable(trace_id).into_answer(),
        }
    })
}
