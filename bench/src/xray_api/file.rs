//! `traces/documents.jsonl`: what an earlier fetch left, and the new one in its place.
//!
//! Apart from the fetching so that the file is changed in one step, by a rename. Invariant: the file is the old one or the
//! new one, whole; a document is in it once; what an earlier fetch wrote stays, unless a newer form of it came.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::document::{Content, Document};
use super::error::FetchError;
use super::trace::{Kept, Traces};
use crate::json_lines::each_line;

/// The `source` of every line.
const SOURCE: &str = "xray";
/// Where documents without a trace are kept.
const NO_TRACE: &str = "";

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    received_unix_us: u64,
    source: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    problems: &'a [String],
    document: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

/// One line of an earlier fetch.
#[derive(Deserialize)]
struct EarlierLine {
    received_unix_us: u64,
    source: String,
    #[serde(default)]
    problems: Vec<String>,
    document: Option<Box<RawValue>>,
    #[serde(default)]
    text: String,
}

/// Where a run's documents are.
pub(super) fn documents(folder: &Path) -> PathBuf {
    folder.join("traces/documents.jsonl")
}

/// The traces in the file, if there is one.
///
/// # Errors
/// If it cannot be read, is malformed, or did not come from X-Ray.
pub(super) fn read(folder: &Path) -> Result<Traces, FetchError> {
    let path = documents(folder);
    let mut traces = Traces::new();
    each_line(&path, |number, line: EarlierLine| {
        if line.source != SOURCE {
            return Err(FetchError::NotFromXRay { path: path.clone(), line: number, found: line.source });
        }
        let document = match line.document {
            Some(document) => Document { problems: line.problems, ..Document::new(None, document.get()) },
            // It is no trace's any more; the trace's next look brings it again under its own name.
            None => Document {
                key: line.problems.concat() + &line.text,
                problems: line.problems,
                ..Document::broken(None, &line.text, "")
            },
        };
        let trace = document.trace_id.clone().unwrap_or_else(|| NO_TRACE.to_owned());
        traces.entry(trace).or_default().keep(document, line.received_unix_us);
        Ok(())
    })?;
    Ok(traces)
}

/// Puts `traces` in the file's place; tells how many documents it holds, and how many of them are broken.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write(folder: &Path, traces: &Traces) -> Result<(u64, u64), FetchError> {
    let again = |kept: &Kept, trace: &str| {
        // A broken document of an earlier fetch that came again.
        trace == NO_TRACE && kept.document.is_broken() && came_again(kept, traces)
    };
    let mut all: Vec<&Kept> = Vec::new();
    for (id, trace) in traces {
        all.extend(trace.documents.iter().filter(|kept| !again(kept, id)));
    }
    all.sort_by_key(|kept| kept.received_unix_us);
    replace(&documents(folder), |out| {
        for kept in &all {
            serde_json::to_writer(&mut *out, &line(kept))?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })?;
    Ok((all.len() as u64, all.iter().filter(|kept| kept.document.is_broken()).count() as u64))
}

fn came_again(earlier: &Kept, traces: &Traces) -> bool {
    let others = traces.iter().filter(|(id, _)| *id != NO_TRACE).flat_map(|(_, trace)| &trace.documents);
    others
        .map(|kept| &kept.document)
        .any(|other| other.problems == earlier.document.problems && other.is_same(&earlier.document))
}

fn line(kept: &Kept) -> Line<'_> {
    let (document, text) = match &kept.document.content {
        Content::Object(object) => (Some(&**object), None),
        Content::Broken(text) => (None, Some(text.as_str())),
    };
    let problems = &kept.document.problems;
    Line { received_unix_us: kept.received_unix_us, source: SOURCE, problems, document, text }
}

/// Writes a file beside `path` and renames it there.
///
/// # Errors
/// If that fails; then `path` is as it was.
pub(super) fn replace(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<(), FetchError> {
    let part = path.with_extension("part");
    let whole = || {
        std::fs::create_dir_all(path.parent().unwrap_or(path))?;
        let mut out = BufWriter::new(File::create(&part)?);
        fill(&mut out)?;
        out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        std::fs::rename(&part, path)
    };
    whole().map_err(|source| {
        // The failure is what is told; a leftover is only untidy.
        let _ = std::fs::remove_file(&part);
        FetchError::Unwritable { path: path.to_owned(), source }
    })
}
