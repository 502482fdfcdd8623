//! A function's log: the file all its sandboxes append to, and its format.
//!
//! Apart from a sandbox's log, of which a function has many. Invariant: what is given to one `write` stays together in the file,
//! because it is one append.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::level::{ApplicationLevel, SystemLevel};

/// How a function's log is written, in AWS's spelling (`LoggingConfig.LogFormat`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub enum LogFormat {
    /// Lines as they come, and the platform's own START, END and REPORT.
    #[default]
    Text,
    /// One JSON object a line, filtered by level.
    #[serde(rename = "JSON")]
    Json,
}

/// What is logged and how. The levels count in JSON only, as on AWS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogSettings {
    /// How lines are written.
    pub format: LogFormat,
    /// The least of the function's own lines that is logged.
    pub application_level: ApplicationLevel,
    /// The least of the platform's events that is logged.
    pub system_level: SystemLevel,
}

impl LogSettings {
    /// The variables by which a runtime knows them; none in text format.
    pub(crate) fn variables(self) -> Vec<(&'static str, &'static str)> {
        match self.format {
            LogFormat::Text => Vec::new(),
            LogFormat::Json => {
                vec![
                    ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
                    ("AWS_LAMBDA_LOG_LEVEL", self.application_level.name()),
                ]
            }
        }
    }
}

/// One function's log.
pub(crate) struct FunctionLog {
    function: String,
    pub(crate) settings: LogSettings,
    file: File,
    failed: AtomicBool,
}

impl FunctionLog {
    /// Opens the file at `path` for appending (it is made if it is new) as the log of `function`.
    ///
    /// # Errors
    /// What the system says when the file cannot be opened.
    pub(crate) fn open(function: &str, path: &Path, settings: LogSettings) -> io::Result<Arc<Self>> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(named)?;
        Ok(Arc::new(Self { function: function.to_owned(), settings, file, failed: AtomicBool::new(false) }))
    }

    /// Appends `lines` with one write. A file that cannot be written is told once: a function is not ended for a full disk.
    pub(crate) fn write(&self, lines: &[u8]) {
        if lines.is_empty() {
            return;
        }
        if let Err(error) = (&self.file).write_all(lines)
            && !self.failed.swap(true, Ordering::Relaxed)
        {
            // Not `eprintln!`, which panics where standard error is a file on the same full disk.
            let _ = writeln!(
                io::stderr().lock(),
                "lambda-lab: cannot write the log of {}: {error}; its log is incomplete",
                self.function
            );
        }
    }
}
