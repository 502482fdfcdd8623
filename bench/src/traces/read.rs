//! Reads a run folder's traces.
//!
//! Apart from the assembling because here things go wrong line by line. Invariant: every line of `traces/documents.jsonl` is
//! either in a trace or in the [`Tally`], by name; one bad line costs itself alone.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;

use crate::json_lines::{JsonLinesError, each_line};
use crate::traces::error::TracesError;
use crate::traces::records::{Document, DocumentLine, InvocationLine};
use crate::traces::segment::{Segment, flatten};
use crate::traces::tree::Tree;

/// Where the documents are within a run folder.
pub const DOCUMENTS: &str = "traces/documents.jsonl";
/// Where the invocations are within a run folder.
pub const INVOCATIONS: &str = "invocations.jsonl";
/// What is said of a run without any document.
const UNTRACED: &str = "it was measured without tracing (traces/documents.jsonl is not there, or empty)";
/// How many different problems are quoted.
const QUOTED_PROBLEMS: usize = 5;

/// What was found beside the traces; all zero in a sound run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lines of `traces/documents.jsonl`.
    pub documents: u64,
    /// Of these, lines that hold no usable document.
    pub unusable: u64,
    /// Usable ones that the receiver found something wrong with.
    pub with_problems: u64,
    /// What was wrong, and how often; the first few different problems.
    pub problems: BTreeMap<String, u64>,
    /// Segments that came twice.
    pub duplicates: u64,
    /// Documents of traces that no invocation has.
    pub of_no_invocation: u64,
    /// Segments whose parent never came, by name.
    pub orphans: BTreeMap<String, u64>,
    /// Sampled invocations of which no document came.
    pub without_documents: u64,
}

/// A run's traces, not yet assembled.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Every invocation that was sampled or of which there are documents, in the run's order.
    pub invocations: Vec<InvocationLine>,
    /// Segments by trace id, each id once, in order of arrival.
    pub segments: HashMap<String, Vec<Segment>>,
    /// What was found beside them.
    pub tally: Tally,
}

impl Run {
    /// The invocations of which there are documents.
    pub fn traced(&self) -> impl Iterator<Item = &InvocationLine> {
        self.invocations.iter().filter(|seen| self.segments.contains_key(&seen.trace_id))
    }

    /// The functions that have traces, in the order of their first.
    pub fn variants(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for invocation in self.traced() {
            if !names.contains(&invocation.function.as_str()) {
                names.push(&invocation.function);
            }
        }
        names
    }
}

/// Reads the run in `folder`.
///
/// # Errors
/// If a file cannot be read, an invocation is malformed, or there is no trace at all.
pub fn read(folder: &Path) -> Result<Run, TracesError> {
    let mut run = Run { invocations: invocations(&folder.join(INVOCATIONS))?, ..Run::default() };
    let path = folder.join(DOCUMENTS);
    let none = |why: &str| TracesError::NoTraces { folder: folder.to_owned(), why: why.to_owned() };
    match File::open(&path) {
        Ok(file) => documents(&path, file, &mut run)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(none(UNTRACED));
        }
        Err(source) => return Err(unreadable(&path, source)),
    }
    if run.tally.documents == 0 {
        return Err(none(UNTRACED));
    }
    keep_traced(&mut run);
    for segments in run.segments.values() {
        for orphan in Tree::new(segments).orphans() {
            *run.tally.orphans.entry(orphan.name.clone()).or_default() += 1;
        }
    }
    if run.segments.is_empty() {
        let why = format!(
            "none of the {} lines in traces/documents.jsonl belongs to an invocation of it",
            run.tally.documents
        );
        return Err(none(&why));
    }
    Ok(run)
}

fn invocations(path: &Path) -> Result<Vec<InvocationLine>, TracesError> {
    let mut invocations = Vec::new();
    let keep = |_, line| {
        invocations.push(line);
        Ok::<_, TracesError>(())
    };
    if each_line(path, keep)? {
        return Ok(invocations);
    }
    Err(unreadable(path, ErrorKind::NotFound.into()))
}

fn unreadable(path: &Path, source: std::io::Error) -> TracesError {
    JsonLinesError::Unreadable { path: path.to_owned(), source }.into()
}

fn documents(path: &Path, file: File, run: &mut Run) -> Result<(), TracesError> {
    let mut arrivals = Arrivals::default();
    // Bytes, not text: a line that is no UTF-8 is one unusable line, not the end of the file.
    for line in BufReader::new(file).split(b'\n') {
        let line = line.map_err(|source| unreadable(path, source))?;
        if !line.trim_ascii().is_empty() {
            arrivals.take(&line, run);
        }
    }
    Ok(())
}

/// Where each segment of a trace stands in the run, so that one that comes again is found.
#[derive(Default)]
struct Arrivals {
    places: HashMap<(String, String), usize>,
    flattened: Vec<Segment>,
}

impl Arrivals {
    fn take(&mut self, line: &[u8], run: &mut Run) {
        run.tally.documents += 1;
        match usable(line) {
            Ok((trace_id, problems, document)) => {
                problems.iter().for_each(|problem| run.tally.blame(problem));
                self.flattened.clear();
                match flatten(document, &mut self.flattened) {
                    Ok(()) => {
                        run.tally.with_problems += u64::from(!problems.is_empty());
                        self.keep(&trace_id, run);
                    }
                    Err(problem) => run.tally.refuse(&problem),
                }
            }
            Err(problem) => run.tally.refuse(&problem),
        }
    }

    fn keep(&mut self, trace_id: &str, run: &mut Run) {
        let trace = run.segments.entry(trace_id.to_owned()).or_default();
        for segment in self.flattened.drain(..) {
            match self.places.entry((trace_id.to_owned(), segment.id.clone())) {
                Entry::Vacant(place) => {
                    place.insert(trace.len());
                    trace.push(segment);
                }
                Entry::Occupied(place) => {
                    let known = &mut trace[*place.get()];
                    // Sent while in progress, and again when it ended, as X-Ray means it: no duplicate.
                    if known.end_us.is_none() && segment.end_us.is_some() {
                        *known = segment;
                    } else if known.end_us.is_some() && segment.end_us.is_some() {
                        run.tally.duplicates += 1;
                    }
                }
            }
        }
    }
}

fn usable(line: &[u8]) -> Result<(String, Vec<String>, Document), String> {
    let line: DocumentLine = serde_json::from_slice(line).map_err(|_| "the line is no record".to_owned())?;
    let Some(document) = line.document else {
        let told = line.problems.into_iter().next();
        return Err(told.unwrap_or_else(|| "what arrived is no JSON object".to_owned()));
    };
    let document: Document = serde_json::from_value(document).map_err(|error| error.to_string())?;
    let Some(trace_id) = document.trace_id.clone().filter(|id| !id.is_empty()) else {
        return Err("it has no trace_id".to_owned());
    };
    Ok((trace_id, line.problems, document))
}

/// Leaves invocations that were traced, and traces that have an invocation.
fn keep_traced(run: &mut Run) {
    let known: HashSet<&str> =
        run.invocations.iter().map(|invocation| invocation.trace_id.as_str()).collect();
    let strangers = run.segments.iter().filter(|(id, _)| !known.contains(id.as_str()));
    run.tally.of_no_invocation = strangers.map(|(_, segments)| segments.len() as u64).sum();
    run.segments.retain(|id, _| known.contains(id.as_str()));
    let segments = &run.segments;
    run.invocations.retain(|seen| seen.sampled || segments.contains_key(&seen.trace_id));
    run.tally.without_documents =
        run.invocations.iter().filter(|seen| !segments.contains_key(&seen.trace_id)).count() as u64;
}

impl Tally {
    fn refuse(&mut self, problem: &str) {
        self.unusable += 1;
        self.blame(problem);
    }

    fn blame(&mut self, problem: &str) {
        let problem: String = problem.chars().filter(|character| !character.is_control()).take(160).collect();
        if self.problems.contains_key(&problem) || self.problems.len() < QUOTED_PROBLEMS {
            *self.problems.entry(problem).or_default() += 1;
        }
    }
}
