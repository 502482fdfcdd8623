//! The files a lab writes: invocation records, and a log for each function.
//!
//! Apart from the sandbox, which knows no path. What goes into a log is [`crate::logs`]' matter. Invariant: a record has been
//! written when its write returns, or it was told that records are missing.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::UnboundedSender;

use crate::logs::{FunctionLog, LogSettings};
use crate::records::Invocation;
use crate::whole_lines::WholeLines;

/// Open files of a run.
pub(crate) struct Journal {
    records: Option<Mutex<WholeLines>>,
    logs_dir: PathBuf,
    /// Where set, all functions' lines go to this one file.
    log_file: Option<PathBuf>,
    /// Who is told of each invocation, too.
    invocations: Option<UnboundedSender<Invocation>>,
}

impl Journal {
    /// Opens `records` (if any) for appending, and makes the folder of log files.
    pub(crate) fn open(records: Option<&Path>, logs_dir: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(logs_dir)?;
        let records = records.map(WholeLines::open).transpose()?.map(Mutex::new);
        Ok(Self { records, logs_dir: logs_dir.to_owned(), log_file: None, invocations: None })
    }

    /// The same, with all functions' lines in `log_file` where there is one, and each invocation told to `invocations` too.
    pub(crate) fn with(
        self,
        log_file: Option<PathBuf>,
        invocations: Option<UnboundedSender<Invocation>>,
    ) -> Self {
        Self { log_file, invocations, ..self }
    }

    /// The log of `function`, opened for appending; its file is made if it is new.
    pub(crate) fn function_log(&self, function: &str, settings: LogSettings) -> io::Result<Arc<FunctionLog>> {
        FunctionLog::open(function, &self.log_path(function), settings)
    }

    /// Where the log of `function` lies.
    pub(crate) fn log_path(&self, function: &str) -> PathBuf {
        match &self.log_file {
            Some(file) => file.clone(),
            None => self.logs_dir.join(format!("{function}.log")),
        }
    }

    /// Appends one record line, whole or not at all. A disk that is full is told once: no function is ended for it.
    ///
    /// # Errors
    /// If the record is no JSON.
    pub(crate) fn record(&self, invocation: &Invocation) -> io::Result<()> {
        if let Some(invocations) = &self.invocations {
            // Nobody listens any more: the record is still written.
            let _ = invocations.send(invocation.clone());
        }
        let Some(records) = &self.records else {
            return Ok(());
        };
        let line = serde_json::to_vec(invocation)?;
        let mut records = records.lock().unwrap_or_else(PoisonError::into_inner);
        records.push(&line);
        records.flush();
        Ok(())
    }
}

/// The last `count` lines of the file at `path`, indented; empty where it has none.
pub(crate) fn last_lines(path: &Path, count: usize) -> String {
    let text =
        std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].iter().map(|line| format!("\n    {line}")).collect()
}
