//! Two traces, row by row.
//!
//! Apart from what shows them because every output says the same. Invariant: the self differences of a pair's rows add up to the
//! difference of its totals, to the microsecond, and so do the pieces of its bridge.

use serde::{Deserialize, Serialize};

use crate::traces::assemble::FUNCTION;
use crate::traces::outline::{Outline, Path, by_path, label, words};
use crate::traces::select::Kind;
use crate::traces::span::{Facts, Span, Trace};

/// Two invocations compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// Cold or warm.
    pub kind: Kind,
    /// Which percentile of its variant each stands for.
    pub percentile: u32,
    /// What the first request waited, in microseconds.
    pub from_total_us: i64,
    /// What the second waited.
    pub to_total_us: i64,
    /// Which invocation the first was.
    pub from: Chosen,
    /// Which the second was.
    pub to: Chosen,
    /// Parents before their children, the whole first.
    pub rows: Vec<Row>,
    /// The self differences that are not 0, the largest first.
    pub bridge: Vec<Piece>,
}

/// A chosen invocation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// The variant.
    pub variant: String,
    /// How many it was chosen from.
    pub of: usize,
    /// Lambda's request id.
    pub request_id: String,
    /// The trace header's Root.
    pub trace_id: String,
    /// What was cut out between INIT and the event, in microseconds.
    pub gap_us: i64,
    /// What had to be mended, in words.
    pub notes: Vec<String>,
}

/// One step on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The way down to it, such as `handler > db.query`.
    pub path: String,
    /// The last part of the path.
    pub step: String,
    /// How deep it is; 0 for the whole.
    pub depth: usize,
    /// How long it took in the first; null where it has no such step.
    pub from_us: Option<i64>,
    /// How long it took in the second; null where it has no such step.
    pub to_us: Option<i64>,
    /// Second less first; a step that is not there took 0.
    pub difference_us: i64,
    /// The first's part that no step below it has.
    pub from_self_us: i64,
    /// The second's.
    pub to_self_us: i64,
    /// Second less first.
    pub self_difference_us: i64,
    /// The first's bar.
    pub from_bar: Option<Bar>,
    /// The second's bar.
    pub to_bar: Option<Bar>,
}

/// Where a step lies on the pair's scale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bar {
    /// Microseconds from handing out the event.
    pub start_us: i64,
    /// Microseconds from handing out the event.
    pub end_us: i64,
    /// The part that no step below it has.
    pub self_us: i64,
    /// What else is known.
    pub facts: Facts,
}

/// A piece of the bridge from one total to the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// The row's path.
    pub path: String,
    /// What it adds; negative where the second is faster.
    pub self_difference_us: i64,
}

/// Lays `from` and `to` over each other; each stands for `percentile` of as many as the number says.
pub fn pair(
    kind: Kind,
    percentile: u32,
    (from, from_of): (&Trace, usize),
    (to, to_of): (&Trace, usize),
) -> Pair {
    let mut outline = Outline::default();
    outline.add(&from.root);
    outline.add(&to.root);
    let (from_spans, to_spans) = (by_path(&from.root), by_path(&to.root));
    let rows: Vec<Row> = outline
        .paths()
        .iter()
        .map(|path| row(path, from_spans.get(path).copied(), to_spans.get(path).copied()))
        .collect();
    Pair {
        kind,
        percentile,
        from_total_us: from.total_us(),
        to_total_us: to.total_us(),
        from: chosen(from, from_of),
        to: chosen(to, to_of),
        bridge: bridge(&rows),
        rows,
    }
}

fn chosen(trace: &Trace, of: usize) -> Chosen {
    Chosen {
        variant: trace.function.clone(),
        of,
        request_id: trace.request_id.clone(),
        trace_id: trace.trace_id.clone(),
        gap_us: trace.gap_us,
        notes: trace.notes.iter().map(|note| note.words().to_owned()).collect(),
    }
}

fn row(path: &Path, from: Option<&Span>, to: Option<&Span>) -> Row {
    let duration = |span: Option<&Span>| span.map(Span::duration_us);
    let own = |span: Option<&Span>| span.map_or(0, |span| span.self_us);
    let bar = |span: Option<&Span>| {
        span.map(|span| Bar {
            start_us: span.start_us,
            end_us: span.end_us,
            self_us: span.self_us,
            facts: span.facts.clone(),
        })
    };
    Row {
        path: words(path, FUNCTION),
        step: label(path, FUNCTION),
        depth: path.len(),
        from_us: duration(from),
        to_us: duration(to),
        difference_us: duration(to).unwrap_or(0) - duration(from).unwrap_or(0),
        from_self_us: own(from),
        to_self_us: own(to),
        self_difference_us: own(to) - own(from),
        from_bar: bar(from),
        to_bar: bar(to),
    }
}

/// Sorted by size, of equals as the rows stand.
fn bridge(rows: &[Row]) -> Vec<Piece> {
    let pieces = rows.iter().filter(|row| row.self_difference_us != 0);
    let mut pieces: Vec<Piece> = pieces
        .map(|row| Piece { path: row.path.clone(), self_difference_us: row.self_difference_us })
        .collect();
    pieces.sort_by_key(|piece| std::cmp::Reverse(piece.self_difference_us.abs()));
    pieces
}

impl Row {
    /// Which side alone has it; none if both do.
    pub fn only<'a>(&self, from: &'a str, to: &'a str) -> Option<&'a str> {
        match (self.from_us, self.to_us) {
            (Some(_), None) => Some(from),
            (None, Some(_)) => Some(to),
            _ => None,
        }
    }
}

impl Pair {
    /// Where the rows' scale begins and ends, in microseconds.
    pub fn scale(&self) -> (i64, i64) {
        let bars = || self.rows.iter().flat_map(|row| [&row.from_bar, &row.to_bar]).flatten();
        let start = bars().map(|bar| bar.start_us).min().unwrap_or(0).min(0);
        let end = bars().map(|bar| bar.end_us).max().unwrap_or(0).max(start + 1);
        (start, end)
    }
}

/// The largest `most` pieces, and the rest as one, which names how many they are.
pub fn shortened(bridge: &[Piece], most: usize) -> Vec<Piece> {
    if bridge.len() <= most {
        return bridge.to_vec();
    }
    let (large, small) = bridge.split_at(most.saturating_sub(1));
    let rest = Piece {
        path: format!("{} smaller steps", small.len()),
        self_difference_us: small.iter().map(|piece| piece.self_difference_us).sum(),
    };
    large.iter().cloned().chain([rest]).collect()
}
