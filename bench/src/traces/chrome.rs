//! Traces in Chrome's trace event format, which Perfetto and chrome://tracing open.
//!
//! Apart from the other exports because the format draws by threads, which traces do not have. Each variant is a process; steps
//! that run side by side get threads of their own, for events of one thread must nest. Source: "Trace Event Format",
//! <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>. Invariant: on one thread, two events
//! either nest or do not touch.

use serde_json::{Value, json};

use crate::traces::span::{Span, Trace};

/// Microseconds between two pairs.
const BETWEEN_PAIRS_US: i64 = 1000;

/// A trace placed on the common axis.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'a> {
    /// The trace.
    pub trace: &'a Trace,
    /// Where its t = 0 stands, in microseconds.
    pub at_us: i64,
}

/// Pairs one after the other; both of a pair begin their event at the same time.
pub fn in_pairs(pairs: &[(Trace, Trace)]) -> Vec<Placed<'_>> {
    let mut placed = Vec::new();
    let mut next_us = 0;
    for (from, to) in pairs {
        let both = [from, to];
        let before = both.iter().map(|trace| -trace.root.start_us).max().unwrap_or(0);
        let after = both.iter().map(|trace| trace.root.end_us).max().unwrap_or(0);
        placed.extend(both.map(|trace| Placed { trace, at_us: next_us + before }));
        next_us += before + after + BETWEEN_PAIRS_US;
    }
    placed
}

/// Each where it happened, the earliest first and at 0.
pub fn as_it_happened(traces: &[Trace]) -> Vec<Placed<'_>> {
    let start = |trace: &Trace| trace.zero_unix_us + trace.root.start_us;
    let first = traces.iter().map(start).min().unwrap_or(0);
    let mut placed: Vec<_> =
        traces.iter().map(|trace| Placed { trace, at_us: trace.zero_unix_us - first }).collect();
    placed.sort_by_key(|placed| placed.at_us + placed.trace.root.start_us);
    placed
}

/// The file's contents; `variants` become the processes, in this order.
pub fn events(variants: &[&str], traces: &[Placed]) -> Value {
    let mut events = Vec::new();
    for (pid, variant) in (1..).zip(variants) {
        events.push(
            json!({"ph": "M", "name": "process_name", "pid": pid, "tid": 0, "args": {"name": variant}}),
        );
        events.push(json!({"ph": "M", "name": "process_sort_index", "pid": pid, "tid": 0, "args": {"sort_index": pid}}));
        let mut lanes = Lanes { pid, lanes: Vec::new(), events: Vec::new() };
        for placed in traces.iter().filter(|placed| placed.trace.function == *variant) {
            lanes.place(&placed.trace.root, placed, None);
        }
        let names = (1..=lanes.lanes.len()).map(|tid| {
            let name = if tid == 1 { "invocation".to_owned() } else { format!("side by side {}", tid - 1) };
            json!({"ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": {"name": name}})
        });
        events.extend(names);
        events.append(&mut lanes.events);
    }
    json!({"displayTimeUnit": "ms", "traceEvents": events})
}

/// An event that may still be running on a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    number: usize,
    end_us: i64,
}

/// The threads of one process.
struct Lanes {
    pid: u32,
    /// For each thread what runs at the start of its latest event, the innermost last.
    lanes: Vec<Vec<Open>>,
    events: Vec<Value>,
}

impl Lanes {
    /// Puts `span` and what is below it onto threads: its parent's where nothing else runs within the parent then, else the first
    /// that is idle. `parent` is the parent's thread and number.
    fn place(&mut self, span: &Span, placed: &Placed, parent: Option<(usize, usize)>) {
        let (start, end) = (placed.at_us + span.start_us, placed.at_us + span.end_us);
        let first = parent.map_or(0, |(lane, _)| lane);
        let lane = (first..).find(|lane| self.fits(*lane, start, parent)).unwrap_or(first);
        let number = self.events.len();
        self.lanes[lane].push(Open { number, end_us: end });
        let (pid, tid) = (self.pid, lane + 1);
        self.events.push(json!({"ph": "X", "cat": "lambda", "name": span.name, "pid": pid, "tid": tid,
            "ts": start, "dur": end - start, "args": arguments(span, placed, parent.is_none())}));
        for child in &span.children {
            self.place(child, placed, Some((lane, number)));
        }
    }

    /// Whether an event from `start` on has its place on `lane`; forgets what has ended by then if so.
    fn fits(&mut self, lane: usize, start: i64, parent: Option<(usize, usize)>) -> bool {
        if self.lanes.len() <= lane {
            self.lanes.resize(lane + 1, Vec::new());
        }
        let within = parent.filter(|(parent_lane, _)| *parent_lane == lane).map(|(_, number)| number);
        let open = &mut self.lanes[lane];
        let running = open.iter().rposition(|open| open.end_us > start || Some(open.number) == within);
        let fits = running.map(|index| open[index].number) == within;
        if fits {
            open.truncate(running.map_or(0, |index| index + 1));
        }
        fits
    }
}

fn arguments(span: &Span, placed: &Placed, whole: bool) -> Value {
    let facts = &span.facts;
    let mut arguments = json!({"self_us": span.self_us});
    let trace = placed.trace;
    let texts = [
        ("sent_name", Some(&facts.sent_name).filter(|name| **name != span.name && !whole)),
        ("namespace", facts.namespace.as_ref()),
        ("failure", facts.failure.as_ref()),
        ("trace_id", Some(&trace.trace_id).filter(|_| whole)),
        ("request_id", Some(&trace.request_id).filter(|_| whole)),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            arguments[key] = json!(text);
        }
    }
    if facts.unfinished {
        arguments["unfinished"] = json!(true);
    }
    arguments
}
