//! What a run's own file says of its traces.
//!
//! Apart from the command `bench traces`, which can be asked for other pairs later. Invariant: a run that cannot have it has its
//! figures all the same; why it cannot is told once, unless nothing was traced.

use std::path::Path;

use crate::progress::note;
use crate::run_file::TraceComparison;
use crate::sampling::Tracing;
use crate::traces::read::read;
use crate::traces::report::compare;

/// Which percentile's pair is kept: the whole comparison is in `traces.html`.
const KEPT: u32 = 50;

/// Compares the last of `variants` with the first by the traces in `folder`; none where nothing was traced, there is one variant only,
/// or what was traced cannot be read.
pub fn compared(folder: &Path, variants: &[String], tracing: Tracing) -> Option<TraceComparison> {
    let ((first, last), true) = (variants.first().zip(variants.last())?, tracing != Tracing::Off) else {
        return None;
    };
    if first == last {
        return None;
    }
    let compared = read(folder).and_then(|run| compare(&run, folder, Some(first), Some(last)));
    let report = compared
        .inspect_err(|error| note(&format!("warning: {error}; the run file says nothing of traces")))
        .ok()?;
    let remarks = report.remarks();
    let pairs = report.pairs.into_iter().filter(|pair| pair.percentile == KEPT).collect();
    Some(TraceComparison { from: report.from, to: report.to, pairs, medians: report.medians, remarks })
}
