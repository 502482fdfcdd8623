//! A request as both sides saw it: the client's sample joined to the lab's invocation record.
//!
//! Apart from the metrics because the join is where things can go missing. Invariant: an answered request without an invocation
//! is an error, and a cold turn's request that met a warm sandbox too: neither is quietly left out.

use std::collections::HashMap;

use lambda_lab::records::Invocation;

use crate::sample::{Phase, Sample};

/// Why samples and invocations do not fit together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// Answers that no invocation accounts for.
    #[error(
        "{missing} of {answered} answered requests of variant {variant:?} have no invocation record; the lab lost records, see logs/ in the result folder"
    )]
    Missing {
        /// The variant of the first.
        variant: String,
        /// How many.
        missing: usize,
        /// Out of how many.
        answered: usize,
    },
    /// A cold start that was none.
    #[error(
        "{warm} requests of variant {variant:?}'s cold turn met a warm sandbox although it had been retired; see logs/ in the result folder"
    )]
    NotCold {
        /// The variant.
        variant: String,
        /// How many.
        warm: usize,
    },
}

/// One request with its invocation, where there is one.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The client's side.
    pub sample: Sample,
    /// The lab's side.
    pub invocation: Option<Invocation>,
}

/// Joins `samples` of one variant's turn to `invocations` by trace id, and tells each sample whether it was cold.
pub fn join(samples: Vec<Sample>, invocations: &mut HashMap<String, Invocation>) -> Vec<Observation> {
    let joined = samples.into_iter().map(|mut sample| {
        let invocation = invocations.remove(&sample.trace_id);
        sample.cold = invocation.as_ref().map(|invocation| invocation.cold);
        Observation { sample, invocation }
    });
    joined.collect()
}

/// Whether every answered request of `samples` has its invocation in `invocations`.
pub fn complete(samples: &[Sample], invocations: &HashMap<String, Invocation>) -> bool {
    samples.iter().all(|sample| !sample.answered() || invocations.contains_key(&sample.trace_id))
}

/// Refuses observations of one variant that do not fit together.
///
/// # Errors
/// Says how many and why.
pub fn check(observations: &[Observation]) -> Result<(), JoinError> {
    let answered = || observations.iter().filter(|observation| observation.sample.answered());
    let mut missing = answered().filter(|observation| observation.invocation.is_none()).peekable();
    if let Some(first) = missing.peek() {
        let variant = first.sample.variant.clone();
        return Err(JoinError::Missing { variant, missing: missing.count(), answered: answered().count() });
    }
    let mut warm = answered()
        .filter(|observation| {
            observation.sample.phase == Phase::Cold && observation.sample.cold == Some(false)
        })
        .peekable();
    if let Some(first) = warm.peek() {
        let variant = first.sample.variant.clone();
        return Err(JoinError::NotCold { variant, warm: warm.count() });
    }
    Ok(())
}
