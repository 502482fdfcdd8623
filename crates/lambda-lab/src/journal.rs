//! What the lab writes down: invocation records, and each function's log with Lambda's START, END and REPORT lines.
//!
//! Apart from the sandbox so that its hot path ends before anything is written. Functions append their output to their log file
//! directly; each line of ours is one write too, so lines never mix. Invariant: a record is on disk when its write returns.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::records::{Invocation, Status};

/// Open files of a run.
pub(crate) struct Journal {
    records: Option<Mutex<File>>,
    logs_dir: PathBuf,
}

impl Journal {
    /// Opens `records` (if any) for appending, and makes the folder of log files.
    pub(crate) fn open(records: Option<&Path>, logs_dir: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(logs_dir)?;
        let records = records.map(append).transpose()?.map(Mutex::new);
        Ok(Self { records, logs_dir: logs_dir.to_owned() })
    }

    /// The log file of `function`, opened for appending; made if it is new.
    pub(crate) fn log(&self, function: &str) -> io::Result<File> {
        append(&self.log_path(function))
    }

    /// Where the log of `function` lies.
    pub(crate) fn log_path(&self, function: &str) -> PathBuf {
        self.logs_dir.join(format!("{function}.log"))
    }

    /// Appends one record line.
    pub(crate) fn record(&self, invocation: &Invocation) -> io::Result<()> {
        let Some(records) = &self.records else {
            return Ok(());
        };
        let mut line = serde_json::to_vec(invocation)?;
        line.push(b'\n');
        records.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line)
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// The line Lambda prints before an invocation.
pub(crate) fn start_line(request_id: &str) -> String {
    format!("START RequestId: {request_id} Version: $LATEST\n")
}

/// The END and REPORT lines of `invocation`, in Lambda's order and spelling (tab separated, a tab at the end).
pub(crate) fn end_lines(invocation: &Invocation) -> String {
    use std::fmt::Write as _;
    let Invocation { request_id, duration_ms, billed_ms, memory_mb, .. } = invocation;
    let max_memory_mb = invocation.max_memory_mb.unwrap_or(0.0).ceil();
    let mut lines = format!(
        "END RequestId: {request_id}\nREPORT RequestId: {request_id}\tDuration: {duration_ms:.2} ms\t\
         Billed Duration: {billed_ms} ms\tMemory Size: {memory_mb} MB\tMax Memory Used: {max_memory_mb} MB\t"
    );
    if let Some(init_ms) = invocation.init_ms {
        // Writing to a String cannot fail.
        let _ = write!(lines, "Init Duration: {init_ms:.2} ms\t");
    }
    match invocation.status {
        Status::Success => {}
        Status::Timeout => lines.push_str("Status: timeout\t"),
        Status::Error => {
            let error_type = invocation.error_type.as_deref().unwrap_or("Runtime.Unknown");
            let _ = write!(lines, "Status: error\tError Type: {error_type}\t");
        }
    }
    lines.push('\n');
    lines
}

/// The last `count` lines of the file at `path`, indented; empty where it has none.
pub(crate) fn last_lines(path: &Path, count: usize) -> String {
    let text =
        std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].iter().map(|line| format!("\n    {line}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation() -> Invocation {
        Invocation {
            function: "hello".into(),
            request_id: "8286a188-ba32-4475-8077-530cd35c09a9".into(),
            trace_id: "1-5e1b4151-43a0913a12345678901234567".into(),
            sandbox: "s".into(),
            cold: true,
            started_unix_us: 0,
            init_ms: Some(542.01),
            duration_ms: 3.1,
            response_ms: 3.0,
            billed_ms: 546,
            memory_mb: 2048,
            max_memory_mb: Some(94.2),
            cpu_ms: None,
            init_cpu_ms: None,
            status: Status::Success,
            error_type: None,
        }
    }

    #[test]
    fn report_line_of_a_cold_start_reads_as_lambda_prints_it() {
        let expected = "END RequestId: 8286a188-ba32-4475-8077-530cd35c09a9\nREPORT RequestId: \
            8286a188-ba32-4475-8077-530cd35c09a9\tDuration: 3.10 ms\tBilled Duration: 546 ms\tMemory Size: 2048 MB\t\
            Max Memory Used: 95 MB\tInit Duration: 542.01 ms\t\n";
        assert_eq!(end_lines(&invocation()), expected);
    }

    #[test]
    fn report_line_tells_errors_and_time_outs() {
        let error = Invocation {
            status: Status::Error,
            error_type: Some("Runtime.OutOfMemory".into()),
            init_ms: None,
            ..invocation()
        };
        assert!(end_lines(&error).ends_with("95 MB\tStatus: error\tError Type: Runtime.OutOfMemory\t\n"));
        let timeout = Invocation { status: Status::Timeout, ..invocation() };
        assert!(end_lines(&timeout).ends_with("Init Duration: 542.01 ms\tStatus: timeout\t\n"));
    }
}
