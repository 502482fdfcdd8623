//! Where log lines, metrics and, if asked for, trace documents are written.
//!
//! Apart because logs, metrics and traces share it. Invariant: a line is one write of all its bytes, its line break included, so
//! lines of concurrent invocations never interleave.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

pub(crate) struct Output(Mutex<Box<dyn Write + Send>>);

impl Output {
    pub(crate) fn new(output: Box<dyn Write + Send>) -> Self {
        Self(Mutex::new(output))
    }

    /// A function whose lines cannot be written still answers.
    pub(crate) fn write_line(&self, line: &[u8]) {
        let mut output = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = output.write_all(line).and_then(|()| output.flush());
    }
}
