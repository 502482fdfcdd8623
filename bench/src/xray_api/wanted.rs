//! Which traces a run has: those of its own invocations.
//!
//! Apart from the asking because it reads files and nothing else. The client chose the ids when it sent its requests, so no
//! search by name or time can take a stranger's trace for the run's. Invariant: every line of the file is wanted, counted as
//! not sampled, or counted as without a usable id.

use std::path::Path;

use serde::Deserialize;

use super::error::FetchError;
use super::trace_id::TraceId;
use crate::json_lines::each_line;

/// The traces to ask for.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Each once, by time.
    pub(super) ids: Vec<TraceId>,
    /// Requests that were not sampled, or never sent: they have no trace.
    pub(super) not_sampled: u64,
    /// What stood where an id should, as it stood there.
    pub(super) malformed: Vec<String>,
}

/// What is needed of a line of `invocations.jsonl`.
#[derive(Deserialize)]
struct Invocation {
    trace_id: String,
    /// Runs of older benches do not say.
    sampled: Option<bool>,
}

/// What is needed of a line of `samples.jsonl`.
#[derive(Deserialize)]
struct Sample {
    trace_id: String,
    sent_us: Option<u64>,
    /// Runs of older benches do not say.
    sampled: Option<bool>,
}

impl Wanted {
    /// The traces of the run in `folder`: of its invocations, and where there are none, of its requests.
    ///
    /// # Errors
    /// If neither file is there, a line is malformed, or no invocation was sampled.
    pub(super) fn of_run(folder: &Path) -> Result<Self, FetchError> {
        let mut wanted = Self::default();
        let mut lines: u64 = 0;
        let invocations = each_line(&folder.join("invocations.jsonl"), |_, line: Invocation| {
            lines += 1;
            wanted.add(line.sampled != Some(false), line.trace_id);
            Ok::<_, FetchError>(())
        })?;
        let mut samples = false;
        if lines == 0 {
            samples = each_line(&folder.join("samples.jsonl"), |_, line: Sample| {
                lines += 1;
                wanted.add(line.sent_us.is_some() && line.sampled != Some(false), line.trace_id);
                Ok::<_, FetchError>(())
            })?;
        }
        if !invocations && !samples {
            return Err(FetchError::NoRun { folder: folder.to_owned() });
        }
        if wanted.ids.is_empty() {
            return Err(FetchError::NothingSampled { folder: folder.to_owned(), lines });
        }
        wanted.ids.sort_unstable();
        wanted.ids.dedup();
        Ok(wanted)
    }

    fn add(&mut self, traced: bool, trace_id: String) {
        match trace_id.parse() {
            _ if !traced => self.not_sampled += 1,
            Ok(id) => self.ids.push(id),
            Err(_) => self.malformed.push(trace_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "1-00000001-aaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "1-00000002-bbbbbbbbbbbbbbbbbbbbbbbb";

    fn wanted(files: &[(&str, String)]) -> Result<Wanted, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Wanted::of_run(folder.path()).map_err(|error| error.to_string())
    }

    fn invocations(text: String) -> (&'static str, String) {
        ("invocations.jsonl", text)
    }

    #[test]
    fn sampled_invocations_are_wanted_once_and_the_others_counted() {
        let lines = format!(
            "{{\"trace_id\":\"{B}\",\"sampled\":true}}\n{{\"trace_id\":\"{A}\"}}\n\n{{\"trace_id\":\"{B}\"}}\n\
             {{\"trace_id\":\"\",\"sampled\":false}}\n{{\"trace_id\":\"x\",\"sampled\":true}}\n"
        );
        let wanted = wanted(&[invocations(lines), ("samples.jsonl", "not read".into())]).unwrap();
        assert_eq!(wanted.ids.iter().map(TraceId::as_str).collect::<Vec<_>>(), [A, B]);
        assert_eq!((wanted.not_sampled, wanted.malformed), (1, vec!["x".to_owned()]));
    }

    #[test]
    fn where_no_invocation_is_recorded_the_requests_tell() {
        let lines = format!(
            "{{\"trace_id\":\"{A}\",\"sent_us\":1}}\n{{\"trace_id\":\"{B}\",\"sent_us\":null}}\n\
             {{\"trace_id\":\"{B}\",\"sent_us\":1,\"sampled\":false}}\n"
        );
        let wanted = wanted(&[invocations(String::new()), ("samples.jsonl", lines)]).unwrap();
        assert_eq!((wanted.ids.len(), wanted.ids[0].as_str(), wanted.not_sampled), (1, A, 2));
    }

    #[test]
    fn no_run_nothing_sampled_and_a_broken_line_are_told_apart() {
        assert!(wanted(&[]).unwrap_err().contains("neither invocations.jsonl nor samples.jsonl"));
        let unsampled = format!("{{\"trace_id\":\"{A}\",\"sampled\":false}}\n");
        assert!(wanted(&[invocations(unsampled)]).unwrap_err().contains("none of the 1 requests"));
        let broken = format!("{{\"trace_id\":\"{A}\"}}\n{{\"trace\n");
        assert!(wanted(&[invocations(broken)]).unwrap_err().contains("invocations.jsonl, line 2"));
    }
}
