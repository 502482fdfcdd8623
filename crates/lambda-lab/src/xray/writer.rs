//! The thread that makes, judges and writes documents: `documents.jsonl` as they come, `summary.json` at the end.
//!
//! Apart from everything that produces them, so that neither an invocation nor the daemon's socket waits for JSON or a disk.
//! Invariant: what is sent to it is written in that order, and counted even where it cannot be written, which is told once.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::daemon::Backlog;
use super::datagram::{self, Datagram};
use super::known::KnownTraces;
use super::otlp;
use super::segments::{self, Delivered, Served, Unserved};
use super::validate::{self, Author};
use crate::records::{DocumentSource, TracesSummary};
use crate::whole_lines::WholeLines;

/// So much waits at most while documents keep coming.
const FLUSH_BYTES: usize = 1 << 18;

/// What is sent to the writer.
#[derive(Debug)]
pub(super) enum Work {
    /// A function gets this trace, and may send documents of it from now on.
    HandedOut {
        root: u128,
        parent: Option<u64>,
    },
    Served(Box<Served>),
    Unserved(Box<Unserved>),
    Delivered(Box<Delivered>),
    /// What came at the daemon's port.
    Datagram {
        bytes: Vec<u8>,
        received_unix_us: u64,
    },
    /// Nothing more will come.
    End,
}

/// The way to the writer; clones lead to the same.
#[derive(Clone, Debug)]
pub(crate) struct Documents(Sender<Work>);

impl Documents {
    pub(super) fn new(sender: Sender<Work>) -> Self {
        Self(sender)
    }

    pub(super) fn send(&self, work: Work) {
        // The writer outlives every function; what comes from one that outlived it all the same is past the run.
        let _ = self.0.send(work);
    }
}

/// One line of `documents.jsonl`; [`crate::records::TraceDocument`] reads it.
#[derive(Serialize)]
struct Line<'a> {
    received_unix_us: u64,
    source: DocumentSource,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    problems: &'a [String],
    document: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

/// What the thread has.
pub(super) struct Writer {
    /// None where documents are only judged.
    documents: Option<WholeLines>,
    folder: Option<PathBuf>,
    known: KnownTraces,
    backlog: Arc<Backlog>,
    summary: TracesSummary,
    /// The first problem of all, to be told.
    first_problem: Option<String>,
}

impl Writer {
    /// Opens `documents.jsonl` in `folder` for appending.
    pub(super) fn open(folder: Option<&Path>, backlog: Arc<Backlog>) -> io::Result<Self> {
        let open = |folder: &Path| -> io::Result<WholeLines> {
            std::fs::create_dir_all(folder)?;
            WholeLines::open(&folder.join("documents.jsonl"))
        };
        Ok(Self {
            documents: folder.map(open).transpose()?,
            folder: folder.map(Path::to_owned),
            known: KnownTraces::new(),
            backlog,
            summary: TracesSummary::default(),
            first_problem: None,
        })
    }

    /// Works until [`Work::End`].
    pub(super) fn run(mut self, work: &Receiver<Work>) -> Self {
        loop {
            let next = match work.try_recv() {
                // What is written is to be seen while nothing happens.
                Err(TryRecvError::Empty) => {
                    self.flush();
                    work.recv().ok()
                }
                next => next.ok(),
            };
            match next {
                Some(Work::End) | None => break,
                Some(work) => self.handle(work),
            }
        }
        self.flush();
        self
    }

    fn handle(&mut self, work: Work) {
        match work {
            Work::HandedOut { root, parent } => self.known.hand_out(root, parent),
            Work::Served(served) => {
                self.summary.sampled_invocations += 1;
                for document in segments::served(&served) {
                    self.own(&document);
                }
            }
            Work::Unserved(unserved) => self.own(&segments::unserved(&unserved)),
            Work::Delivered(delivered) => self.own(&segments::delivered(&delivered)),
            Work::Datagram { bytes, received_unix_us } => {
                self.datagram(&bytes, received_unix_us);
                self.backlog.taken(bytes.len());
            }
            Work::End => {}
        }
    }

    /// A document of the service's.
    fn own(&mut self, document: &Value) {
        let json = document.to_string();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_us = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        self.document(document, json.as_bytes(), DocumentSource::Lambda, now_us);
    }

    fn datagram(&mut self, bytes: &[u8], received_unix_us: u64) {
        match Datagram::read(bytes) {
            Datagram::Document { document, json } => {
                self.document(&document, json, DocumentSource::Daemon, received_unix_us);
            }
            Datagram::Spans { base64, sampled } => self.spans(base64, sampled, received_unix_us, bytes),
            Datagram::Garbage { problem, text } => {
                self.line(received_unix_us, DocumentSource::Daemon, &[problem], Err(&text));
            }
        }
    }

    fn spans(&mut self, base64: &[u8], sampled: bool, received_unix_us: u64, datagram: &[u8]) {
        match otlp::documents(base64) {
            Ok(documents) if sampled => {
                for document in documents {
                    let json = document.to_string();
                    self.document(&document, json.as_bytes(), DocumentSource::Otlp, received_unix_us);
                }
            }
            Ok(unsampled) => self.summary.unsampled_spans += unsampled.len() as u64,
            Err(problem) => {
                let text = datagram::beginning(datagram);
                self.line(received_unix_us, DocumentSource::Otlp, &[problem], Err(&text));
            }
        }
    }

    fn document(&mut self, document: &Value, json: &[u8], source: DocumentSource, received_unix_us: u64) {
        let author = if source == DocumentSource::Lambda { Author::Service } else { Author::Function };
        let mut problems = validate::problems(document, json.len(), author);
        if let Some(object) = document.as_object()
            && !self.known.note(object)
        {
            self.summary.unknown_trace += 1;
            problems.push(format!(
                "/trace_id is {}: expected a sampled trace that this lab handed to a function",
                document["trace_id"]
            ));
        }
        // A line feed between two tokens would end the line.
        let json: Vec<u8> =
            json.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect();
        match serde_json::from_slice(&json) {
            Ok(raw) => self.line(received_unix_us, source, &problems, Ok(raw)),
            Err(error) => {
                problems.push(error.to_string());
                self.line(received_unix_us, source, &problems, Err(&datagram::beginning(&json)));
            }
        }
    }

    fn line(
        &mut self,
        received_unix_us: u64,
        source: DocumentSource,
        problems: &[String],
        document: Result<&RawValue, &str>,
    ) {
        self.summary.documents += 1;
        if let Some(first) = problems.first() {
            self.summary.invalid_documents += 1;
            self.first_problem.get_or_insert_with(|| first.clone());
        }
        let (document, text) = (document.ok(), document.err());
        let Some(documents) = &mut self.documents else { return };
        let line = Line { received_unix_us, source, problems, document, text };
        match serde_json::to_vec(&line) {
            Ok(line) => documents.push(&line),
            Err(error) => eprintln!("lambda-lab: a trace document is no JSON: {error}"),
        }
        if documents.waiting() >= FLUSH_BYTES {
            documents.flush();
        }
    }

    fn flush(&mut self) {
        if let Some(documents) = &mut self.documents {
            documents.flush();
        }
    }

    /// Writes `summary.json` and says what is wrong.
    pub(super) fn finish(mut self, datagrams_lost: Option<u64>) -> io::Result<TracesSummary> {
        self.summary.datagrams_lost = datagrams_lost;
        self.summary.missing_parents = self.known.missing_parents();
        let TracesSummary { documents, invalid_documents, missing_parents, .. } = self.summary;
        if let Some(first) = &self.first_problem {
            eprintln!(
                "lambda-lab: {invalid_documents} of {documents} trace documents are invalid; the first: {first}"
            );
        }
        if missing_parents > 0 {
            eprintln!("lambda-lab: {missing_parents} parents that trace documents name never came");
        }
        if let Some(lost) = datagrams_lost.filter(|lost| *lost > 0) {
            eprintln!(
                "lambda-lab: {lost} datagrams with trace documents were lost: they came faster than they were read"
            );
        }
        if let Some(folder) = &self.folder {
            let summary = serde_json::to_vec(&self.summary)?;
            std::fs::write(folder.join("summary.json"), [summary.as_slice(), b"\n"].concat())?;
        }
        Ok(self.summary)
    }
}
