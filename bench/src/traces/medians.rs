//! Each step's median over all sampled traces of a run.
//!
//! Apart from the pairs because a pair is two invocations, and luck may have chosen them. The interval is the sign test's, from
//! order statistics: no shape of the distribution is assumed. It covers the scatter within this run, not that between runs, and
//! medians do not add up. Invariant: cold and warm are never in one median, and a step's median is over the traces that have it;
//! how many do is told.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::statistics::{median_interval, quantile, sorted};
use crate::traces::assemble::{FUNCTION, assemble};
use crate::traces::outline::{Outline, Path, by_path, label, words};
use crate::traces::read::Run;
use crate::traces::select::{Kind, ranked};
use crate::traces::span::Note;

/// The medians of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Medians {
    /// Cold or warm.
    pub kind: Kind,
    /// How many traces the first variant has.
    pub from_traces: usize,
    /// How many the second has.
    pub to_traces: usize,
    /// Parents before their children, the whole first.
    pub rows: Vec<MedianRow>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MedianRow {
    /// The way down to it.
    pub path: String,
    /// The last part of the path.
    pub step: String,
    /// How deep it is; 0 for the whole.
    pub depth: usize,
    /// The first variant's; null where none of its traces has the step.
    pub from: Option<Median>,
    /// The second variant's.
    pub to: Option<Median>,
}

/// A median, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Median {
    /// Of the step's length.
    pub us: f64,
    /// At least 95 % interval of it; null with fewer than 6 traces.
    pub interval_us: Option<[f64; 2]>,
    /// Of the part that no step below it has.
    pub self_us: f64,
    /// How many traces have the step.
    pub traces: usize,
}

/// Lengths and self times of one step, one a trace.
type Times = (Vec<f64>, Vec<f64>);

/// One variant's times by step.
#[derive(Default)]
struct Side {
    traces: usize,
    times: HashMap<Path, Times>,
}

/// The medians of `kind` of variants `from` and `to`; counts each trace's notes into `notes`.
pub fn medians(run: &Run, kind: Kind, from: &str, to: &str, notes: &mut HashMap<Note, u64>) -> Medians {
    let mut outline = Outline::default();
    let mut side = |variant| gather(run, kind, variant, &mut outline, notes);
    let (from, to) = (side(from), side(to));
    let rows = outline.paths().into_iter().map(|path| MedianRow {
        path: words(&path, FUNCTION),
        step: label(&path, FUNCTION),
        depth: path.len(),
        from: from.times.get(&path).and_then(median),
        to: to.times.get(&path).and_then(median),
    });
    let rows = rows.filter(|row| row.from.is_some() || row.to.is_some()).collect();
    Medians { kind, from_traces: from.traces, to_traces: to.traces, rows }
}

fn gather(
    run: &Run,
    kind: Kind,
    variant: &str,
    outline: &mut Outline,
    notes: &mut HashMap<Note, u64>,
) -> Side {
    let mut side = Side::default();
    for invocation in ranked(run.traced(), variant, kind) {
        let Some(segments) = run.segments.get(&invocation.trace_id) else { continue };
        let trace = assemble(invocation, segments);
        trace.notes.iter().for_each(|note| *notes.entry(*note).or_default() += 1);
        outline.add(&trace.root);
        side.traces += 1;
        for (path, span) in by_path(&trace.root) {
            let (lengths, selves) = side.times.entry(path).or_default();
            lengths.push(span.duration_us() as f64);
            selves.push(span.self_us as f64);
        }
    }
    side
}

fn median((lengths, selves): &Times) -> Option<Median> {
    let lengths = sorted(lengths.iter().copied());
    Some(Median {
        us: quantile(&lengths, 50)?,
        interval_us: median_interval(&lengths),
        self_us: quantile(&sorted(selves.iter().copied()), 50)?,
        traces: lengths.len(),
    })
}
