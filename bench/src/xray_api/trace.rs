//! What has come of each trace so far.
//!
//! Apart from the polling because it is pure: answers in, "is it whole?" out. Invariant: each document of a trace is here
//! once, by its segment's id; an ended one never gives way to one in progress, and none is ever taken back.

use std::collections::BTreeMap;

use serde::Serialize;

use super::document::Document;
use super::reader::FoundTrace;
use super::trace_id::TraceId;

/// A document and when it came.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) document: Document,
    /// Microseconds since the Unix epoch; of the answer that held it first, as it is.
    pub(super) received_unix_us: u64,
}

/// What has come of one trace.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace {
    pub(super) documents: Vec<Kept>,
    /// X-Ray took no more documents of it (`LimitExceeded`).
    pub(super) cut_short: bool,
    /// Whether the last look found what the one before it had found.
    unchanged: bool,
}

/// Why a trace is not whole. The names stand in `traces/fetch.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Lack {
    /// No document of it came.
    Absent,
    /// Documents came, but no `AWS::Lambda::Function` segment.
    NoFunctionSegment,
    /// A function's segment has no end.
    Unended,
    /// All has ended, but nobody saw it twice the same.
    Unsettled,
}

impl Trace {
    /// Takes in what a look found; tells whether anything is new.
    pub(super) fn look(&mut self, found: FoundTrace, now_unix_us: u64) -> bool {
        // First among themselves: an answer may hold a segment twice, in progress and ended.
        let mut answer: Vec<Document> = Vec::new();
        for document in found.documents {
            match answer.iter_mut().find(|known| known.key == document.key) {
                Some(known) if known.ended && !document.ended => {}
                Some(known) => *known = document,
                None => answer.push(document),
            }
        }
        let mut changed = found.cut_short && !self.cut_short;
        self.cut_short |= found.cut_short;
        for document in answer {
            changed |= self.keep(document, now_unix_us);
        }
        self.unchanged = !changed;
        changed
    }

    /// Keeps `document` if it says something new.
    pub(super) fn keep(&mut self, document: Document, received_unix_us: u64) -> bool {
        let new = Kept { document, received_unix_us };
        match self.documents.iter_mut().find(|known| known.document.key == new.document.key) {
            Some(known) if known.document.is_same(&new.document) => false,
            Some(known) if known.document.ended && !new.document.ended => false,
            Some(known) => {
                *known = new;
                true
            }
            None => {
                self.documents.push(new);
                true
            }
        }
    }

    /// What keeps it from being whole; none if it is.
    pub(super) fn lack(&self) -> Option<Lack> {
        if self.documents.is_empty() {
            return Some(Lack::Absent);
        }
        let mut functions =
            self.documents.iter().map(|kept| &kept.document).filter(|one| one.of_function).peekable();
        if functions.peek().is_none() {
            Some(Lack::NoFunctionSegment)
        } else if !functions.all(|function| function.ended) {
            Some(Lack::Unended)
        } else if !self.unchanged {
            Some(Lack::Unsettled)
        } else {
            None
        }
    }
}

impl Lack {
    /// What to tell a person.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Absent => "no document of it came",
            Self::NoFunctionSegment => "it has no AWS::Lambda::Function segment",
            Self::Unended => "its AWS::Lambda::Function segment has no end",
            Self::Unsettled => "its documents were still changing",
        }
    }
}

/// All traces by id: what was asked for, and what an earlier fetch left in the file.
pub(super) type Traces = BTreeMap<String, Trace>;

/// Those of `wanted` that are not whole, with what they lack.
pub(super) fn lacking<'a>(traces: &Traces, wanted: &'a [TraceId]) -> Vec<(&'a TraceId, Lack)> {
    let lack = |id: &TraceId| traces.get(id.as_str()).map_or(Some(Lack::Absent), Trace::lack);
    wanted.iter().filter_map(|id| Some((id, lack(id)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUNCTION: &str = "{\"id\":\"f\",\"origin\":\"AWS::Lambda::Function\",\"end_time\":2.0}";
    const UNENDED: &str = "{\"id\":\"f\",\"origin\":\"AWS::Lambda::Function\",\"in_progress\":true}";
    const SERVICE: &str = "{\"id\":\"s\",\"origin\":\"AWS::Lambda\",\"end_time\":2.0}";

    fn look(trace: &mut Trace, texts: &[&str], now: u64) -> bool {
        let documents = texts.iter().map(|text| Document::new(None, text)).collect();
        trace.look(FoundTrace { id: String::new(), documents, cut_short: false }, now)
    }

    #[test]
    fn a_trace_is_whole_when_its_function_ended_and_two_looks_agree() {
        let mut trace = Trace::default();
        assert_eq!(trace.lack(), Some(Lack::Absent));
        assert!(look(&mut trace, &[SERVICE], 1));
        assert!(!look(&mut trace, &[SERVICE], 2));
        assert_eq!(trace.lack(), Some(Lack::NoFunctionSegment));
        assert!(look(&mut trace, &[SERVICE, UNENDED], 3));
        assert!(!look(&mut trace, &[SERVICE, UNENDED], 4));
        assert_eq!(trace.lack(), Some(Lack::Unended));
        assert!(look(&mut trace, &[SERVICE, FUNCTION], 5));
        assert_eq!(trace.lack(), Some(Lack::Unsettled));
        assert!(look(&mut trace, &[SERVICE, FUNCTION, "{\"id\":\"late\"}"], 6));
        assert_eq!(trace.lack(), Some(Lack::Unsettled));
        assert!(!look(&mut trace, &["{\"id\":\"late\"}", FUNCTION, SERVICE], 7));
        assert_eq!(trace.lack(), None);
        let received: Vec<u64> = trace.documents.iter().map(|kept| kept.received_unix_us).collect();
        assert_eq!(received, [1, 5, 6], "as they came, in progress replaced");
    }

    #[test]
    fn every_function_of_a_trace_must_end() {
        let mut trace = Trace::default();
        let callee = UNENDED.replace("\"f\"", "\"g\"");
        look(&mut trace, &[FUNCTION, &callee], 1);
        look(&mut trace, &[FUNCTION, &callee], 2);
        assert_eq!(trace.lack(), Some(Lack::Unended));
    }

    #[test]
    fn a_late_or_doubled_answer_takes_nothing_back() {
        let mut trace = Trace::default();
        look(&mut trace, &[FUNCTION, UNENDED], 1);
        assert_eq!(trace.documents.len(), 1);
        assert!(!look(&mut trace, &[UNENDED, FUNCTION], 2), "twice in an answer, in either order");
        assert!(!look(&mut trace, &[UNENDED], 3));
        assert!(!look(&mut trace, &[], 4));
        assert_eq!(trace.lack(), None);
        assert!(trace.documents[0].document.ended);
    }
}
