//! How traces are read by id: one trait, because X-Ray has two ways and an account uses one of them.
//!
//! Apart from the polling, which does not care which way it is. Invariant: what an answer holds is handed on, also what
//! nobody asked for; what is no document is handed on as broken.

use std::future::Future;

use super::document::Document;
use super::failure::Failure;
use super::trace_id::TraceId;

/// Reads traces by their ids.
pub(super) trait TraceReader {
    /// How many ids one call takes.
    const IDS_PER_CALL: usize;
    /// How many calls may be under way at once.
    const CALLS_AT_ONCE: usize;

    /// What the account's traces are read with, for people.
    fn name(&self) -> &'static str;

    /// Reads the traces `ids`, at most [`Self::IDS_PER_CALL`], page by page. Traces that are not there are left out.
    fn read(&self, ids: &[TraceId]) -> impl Future<Output = Result<Answer, Failure>>;
}

/// What came of one read.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) traces: Vec<FoundTrace>,
    /// Ids that X-Ray did not get to; they are asked for again.
    pub(super) unprocessed: u64,
}

/// A trace in an answer.
#[derive(Debug)]
pub(super) struct FoundTrace {
    pub(super) id: String,
    pub(super) documents: Vec<Document>,
    /// `LimitExceeded`: X-Ray took no more documents of it.
    pub(super) cut_short: bool,
}

impl FoundTrace {
    /// From what both calls give: the trace's id, and an id and a text for each segment.
    pub(super) fn new<'a>(
        id: Option<&str>,
        cut_short: bool,
        segments: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>,
    ) -> Self {
        let documents: Vec<Document> = segments
            .map(|(segment, text)| match text {
                Some(text) => Document::new(segment, text),
                None => Document::broken(segment, "", "X-Ray named the segment without a document"),
            })
            .collect();
        // A trace that has not ended may come without its id; its documents have it too.
        let own = documents.iter().find_map(|document| document.trace_id.as_deref());
        let id = id.or(own).unwrap_or("unknown").to_ascii_lowercase();
        Self { id, documents, cut_short }
    }
}
