//! Where the time went, step by step.
//!
//! Apart from the comparisons because traces are of the invocations that were sampled, and because a pair of them is two invocations, not
//! a statistic. Invariant: what `bench traces` says of a run's folder, the run file says too, for its first and last variant.

use serde::{Deserialize, Serialize};

use crate::traces::medians::Medians;
use crate::traces::pair::Pair;

/// The traces of the last variant compared with those of the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceComparison {
    /// The variant compared with.
    pub from: String,
    /// The variant compared.
    pub to: String,
    /// Two invocations side by side, of each kind the one that stands for the median.
    pub pairs: Vec<Pair>,
    /// Each step's median over all traces, cold and warm.
    pub medians: Vec<Medians>,
    /// What there was, could not be had, was mended or left out, a sentence each.
    pub remarks: Vec<String>,
}
