//! Whether every sampled invocation has a whole trace.
//!
//! Apart from the tally, which is about what should not be there: this counts what should. Invariant: each count is of the sampled
//! invocations, so that all are equal in a run that lost nothing.

use serde::Serialize;

use crate::traces::read::Run;
use crate::traces::records::{FUNCTION_ORIGIN, SERVICE_ORIGIN};
use crate::traces::segment::Segment;

/// What came of the run's sampled invocations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Completeness {
    /// Invocations that were sampled.
    pub sampled: u64,
    /// Those of which anything came: as many traces.
    pub with_traces: u64,
    /// Those with the service's own segment.
    pub with_service_segment: u64,
    /// Those with the segment of the function.
    pub with_function_segment: u64,
    /// Those with the subsegment of the function's handler.
    pub with_handler: u64,
    /// Documents that arrived.
    pub documents: u64,
    /// Those that the receiver found invalid, or no document at all.
    pub invalid: u64,
}

impl Completeness {
    /// Counts those of `run`.
    pub fn of(run: &Run) -> Self {
        let mut counts = Self {
            documents: run.tally.documents,
            invalid: run.tally.with_problems + run.tally.unusable,
            ..Self::default()
        };
        for invocation in run.invocations.iter().filter(|invocation| invocation.sampled) {
            counts.sampled += 1;
            let Some(segments) = run.segments.get(&invocation.trace_id) else { continue };
            let any = |is: &dyn Fn(&Segment) -> bool| u64::from(segments.iter().any(is));
            counts.with_traces += 1;
            counts.with_service_segment += any(&|segment| segment.origin.as_deref() == Some(SERVICE_ORIGIN));
            counts.with_function_segment +=
                any(&|segment| segment.origin.as_deref() == Some(FUNCTION_ORIGIN));
            counts.with_handler += any(&Segment::is_marked_handler);
        }
        counts
    }

    /// In a sentence.
    pub fn words(&self) -> String {
        format!(
            "{} sampled invocations: {} have traces, {} AWS::Lambda's segment, {} AWS::Lambda::Function's, {} a handler's \
             subsegment; {} documents, {} invalid",
            self.sampled,
            self.with_traces,
            self.with_service_segment,
            self.with_function_segment,
            self.with_handler,
            self.documents,
            self.invalid
        )
    }
}
