//! How long a request may take: what its time-out leaves.
//!
//! Apart from the handler because rungs of the ladder without a cache keep to it too. Invariant: a request that cannot be answered
//! in time is answered with a problem document before Lambda ends it.

use std::time::{Duration, SystemTime};

use lambda_runtime::Context;

/// How long a request may take where the time-out is not known.
const DEFAULT_BUDGET: Duration = Duration::from_secs(8);

/// What is kept of the time-out for posting the answer.
const ANSWER_MARGIN: Duration = Duration::from_millis(250);

/// The invocation's time was nearly over.
#[derive(Debug, thiserror::Error)]
#[error("no answer within the budget of {0:?}")]
pub struct OutOfTime(pub Duration);

/// What is left of the invocation's time-out, less what posting the answer needs. A deadline in the past counts as unknown:
/// some emulators send one.
pub fn time_budget(context: &Context) -> Duration {
    match context.deadline().duration_since(SystemTime::now()) {
        Ok(left) => left.saturating_sub(ANSWER_MARGIN).max(ANSWER_MARGIN),
        Err(_) => DEFAULT_BUDGET,
    }
}

/// What `work` gives, if it does so within `budget`.
///
/// # Errors
/// That of `work`, or [`OutOfTime`].
pub async fn within<T, E: From<OutOfTime>>(
    budget: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    tokio::time::timeout(budget, work).await.unwrap_or_else(|_| Err(OutOfTime(budget).into()))
}
