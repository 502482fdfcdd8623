//! What a fetch says in the end: a few lines for people, and `traces/fetch.json` for whoever wants every name.
//!
//! Apart from the fetching so that both are made from the same counts. Invariant: whole + incomplete = asked; every trace
//! that is not whole is in `fetch.json` by its id.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::collect::{Effort, End};
use super::trace::{Lack, Traces, lacking};
use super::trace_id::TraceId;
use crate::progress::spoken;

/// How many names are printed; all are in `fetch.json`.
const NAMED: usize = 5;

/// The outcome of a fetch, as `traces/fetch.json` holds it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Traces that were asked for.
    pub(super) asked: u64,
    /// Those whose function ended and whose documents two looks found alike.
    pub(super) whole: u64,
    /// The others, with what they lack.
    pub(super) incomplete: BTreeMap<String, Lack>,
    /// Traces of which X-Ray took no more documents.
    pub(super) cut_short: Vec<String>,
    /// Lines of `documents.jsonl`, those of earlier fetches among them.
    pub(super) documents: u64,
    /// Those that hold no document.
    pub(super) broken_documents: u64,
    /// Requests of the run that were not sampled.
    pub(super) not_sampled: u64,
    /// What stood in the run's files where a trace id should.
    pub(super) malformed_ids: Vec<String>,
    /// The operation the traces were read with.
    pub(super) read_with: &'static str,
    pub(super) region: String,
    pub(super) looks: u64,
    pub(super) reads: u64,
    pub(super) failed_reads: u64,
    pub(super) last_failure: Option<String>,
    pub(super) unprocessed: u64,
    pub(super) took_s: f64,
    /// Why it ended, for people.
    pub(super) end: String,
}

impl Report {
    /// From what was asked for and how it went; the file's counts and the run's are the caller's to add.
    pub(super) fn new(
        wanted: &[TraceId],
        traces: &Traces,
        effort: &Effort,
        read_with: &'static str,
        region: &str,
    ) -> Self {
        let incomplete: BTreeMap<String, Lack> =
            lacking(traces, wanted).into_iter().map(|(id, lack)| (id.to_string(), lack)).collect();
        let cut_short = traces.iter().filter(|(_, trace)| trace.cut_short).map(|(id, _)| id.clone());
        Self {
            asked: wanted.len() as u64,
            whole: (wanted.len() - incomplete.len()) as u64,
            incomplete,
            cut_short: cut_short.collect(),
            documents: 0,
            broken_documents: 0,
            not_sampled: 0,
            malformed_ids: Vec::new(),
            read_with,
            region: region.to_owned(),
            looks: effort.looks,
            reads: effort.reads,
            failed_reads: effort.failed_reads,
            last_failure: effort.last_failure.clone(),
            unprocessed: effort.unprocessed,
            took_s: effort.took.as_secs_f64(),
            end: end(effort),
        }
    }

    /// The lines for people.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "{} of {} traces whole, {} documents: {} in {}, {} reads in {:.1} s; {}",
            self.whole,
            self.asked,
            self.documents,
            self.read_with,
            self.region,
            self.reads,
            self.took_s,
            self.end
        );
        for lack in [Lack::Absent, Lack::NoFunctionSegment, Lack::Unended, Lack::Unsettled] {
            let ids: Vec<&str> =
                self.incomplete.iter().filter(|(_, own)| **own == lack).map(|(id, _)| id.as_str()).collect();
            list(&mut text, &ids, &format!("not whole, {}", lack.words()));
        }
        let cut: Vec<&str> = self.cut_short.iter().map(String::as_str).collect();
        list(&mut text, &cut, "cut short by X-Ray, LimitExceeded");
        let malformed: Vec<&str> = self.malformed_ids.iter().map(String::as_str).collect();
        list(&mut text, &malformed, "not asked for, the run's file has no trace id there");
        if self.broken_documents > 0 {
            let _ = write!(text, "\n{} documents are broken and kept as text", self.broken_documents);
        }
        if self.failed_reads > 0 {
            let last = self.last_failure.as_deref().unwrap_or_default();
            let _ = write!(text, "\n{} reads failed and were repeated, the last: {last}", self.failed_reads);
        }
        if self.not_sampled > 0 {
            let _ = write!(text, "\n{} requests were not sampled and have no trace", self.not_sampled);
        }
        text
    }
}

fn end(effort: &Effort) -> String {
    match &effort.end {
        End::Whole => "every trace is whole".to_owned(),
        End::NoNews => "gave up because nothing new came (--patience-s)".to_owned(),
        End::TimeLimit => format!("stopped after {} (--time-limit-s)", spoken(effort.took)),
        End::Stopped(error) => format!("stopped: {error}"),
    }
}

fn list(text: &mut String, names: &[&str], what: &str) {
    if names.is_empty() {
        return;
    }
    let _ = write!(text, "\n{} {what}:", names.len());
    for name in names.iter().take(NAMED) {
        let _ = write!(text, "\n  {name:?}");
    }
    if names.len() > NAMED {
        let _ = write!(text, "\n  and {} more, in traces/fetch.json", names.len() - NAMED);
    }
}
