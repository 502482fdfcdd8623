//! The traces that the lab handed out, and whether each subsegment's parent came.
//!
//! Apart from the writer because it forgets: a lab may run for days. Invariant: what is known is at most two generations of
//! [`GENERATION`] traces, and what is forgotten has been judged.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::header::{is_id, root_number};

/// How many traces are known before the older ones are forgotten.
const GENERATION: usize = 200_000;

/// What is known of one trace.
#[derive(Default)]
struct Trace {
    /// Of the caller's segment, and of all segments and subsegments that came.
    ids: HashSet<u64>,
    /// The parents that were named.
    parents: HashSet<u64>,
}

/// The traces handed out lately.
pub(super) struct KnownTraces {
    generation: usize,
    current: HashMap<u128, Trace>,
    previous: HashMap<u128, Trace>,
    /// Parents that never came, of traces that are forgotten.
    missing: u64,
}

impl KnownTraces {
    pub(super) fn new() -> Self {
        Self { generation: GENERATION, current: HashMap::new(), previous: HashMap::new(), missing: 0 }
    }

    /// A function gets this trace; `parent` is its caller's segment.
    pub(super) fn hand_out(&mut self, root: u128, parent: Option<u64>) {
        if self.current.len() >= self.generation {
            let forgotten = std::mem::replace(&mut self.previous, std::mem::take(&mut self.current));
            self.missing += missing(&forgotten);
        }
        let known = self.previous.remove(&root);
        let trace = self.current.entry(root).or_insert_with(|| known.unwrap_or_default());
        trace.ids.extend(parent);
    }

    /// Notes a document's ids and parent; whether its trace was handed out.
    pub(super) fn note(&mut self, document: &Map<String, Value>) -> bool {
        let root = document.get("trace_id").and_then(Value::as_str).and_then(root_number);
        let Some(root) = root else {
            // A document without a trace is wrong for that already.
            return true;
        };
        let Some(trace) = self.current.get_mut(&root).or_else(|| self.previous.get_mut(&root)) else {
            return false;
        };
        trace.parents.extend(id(document, "parent_id"));
        trace.note_ids(document);
        true
    }

    /// How many parents were named that never came.
    pub(super) fn missing_parents(&self) -> u64 {
        self.missing + missing(&self.previous) + missing(&self.current)
    }
}

impl Trace {
    fn note_ids(&mut self, entity: &Map<String, Value>) {
        self.ids.extend(id(entity, "id"));
        let nested = entity.get("subsegments").and_then(Value::as_array);
        for subsegment in nested.into_iter().flatten().filter_map(Value::as_object) {
            self.note_ids(subsegment);
        }
    }
}

fn id(entity: &Map<String, Value>, key: &str) -> Option<u64> {
    let text = entity.get(key)?.as_str().filter(|text| is_id(text))?;
    u64::from_str_radix(text, 16).ok()
}

fn missing(traces: &HashMap<u128, Trace>) -> u64 {
    let missing = |trace: &Trace| trace.parents.difference(&trace.ids).count();
    traces.values().map(|trace| missing(trace) as u64).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(root: u128, id: u64, parent: Option<u64>) -> Map<String, Value> {
        let random = root & ((1 << 96) - 1);
        let trace_id = format!("1-{:08x}-{random:024x}", root >> 96);
        let mut document = json!({ "trace_id": trace_id, "id": format!("{id:016x}") });
        if let Some(parent) = parent {
            document["parent_id"] = format!("{parent:016x}").into();
        }
        document.as_object().unwrap().clone()
    }

    #[test]
    fn children_may_come_before_their_parents_and_orphans_are_counted() {
        let mut known = KnownTraces::new();
        known.hand_out(1, Some(9));
        assert!(known.note(&document(1, 3, Some(2))));
        assert!(known.note(&document(1, 4, Some(5))));
        assert!(known.note(&document(1, 2, Some(9))), "the caller's segment is not ours to send");
        assert_eq!(known.missing_parents(), 1, "5 never came");
        let mut outer = document(1, 7, None);
        outer.insert("subsegments".to_owned(), json!([{ "id": "0000000000000005" }]));
        known.note(&outer);
        assert_eq!(known.missing_parents(), 0, "it came within another");
        assert!(!known.note(&document(2, 1, None)), "never handed out");
    }

    #[test]
    fn old_traces_are_judged_and_forgotten() {
        let mut known = KnownTraces { generation: 2, ..KnownTraces::new() };
        for root in 1..=2 {
            known.hand_out(root, None);
            known.note(&document(root, 3, Some(2)));
        }
        known.hand_out(3, None);
        assert!(known.note(&document(1, 2, None)), "late, but still known");
        known.hand_out(4, None);
        known.hand_out(5, None);
        assert!(!known.note(&document(2, 2, None)), "too late");
        assert!(known.current.len() + known.previous.len() <= 4);
        assert_eq!(known.missing_parents(), 1, "of the second trace");
    }
}
