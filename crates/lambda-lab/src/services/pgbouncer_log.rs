//! What PgBouncer's log tells: how many clients asked to log in.
//!
//! Apart because PgBouncer's own statistics count transactions and queries, not logins; its log has a line for each. Invariant:
//! every whole line is counted once, and a line that is still being written is counted later.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::error::ServiceError;

/// Counts `login attempt` lines, reading on where the last count ended.
pub(super) struct Logins {
    log_path: PathBuf,
    read_to: u64,
    seen: u64,
}

impl Logins {
    /// Counts from the beginning of the log.
    pub(super) fn new(log_path: &Path) -> Self {
        Self { log_path: log_path.to_path_buf(), read_to: 0, seen: 0 }
    }

    /// How many there were so far.
    pub(super) fn count(&mut self) -> Result<u64, ServiceError> {
        self.read_on()?;
        Ok(self.seen)
    }

    /// Reads on to the end of the log.
    fn read_on(&mut self) -> Result<(), ServiceError> {
        let failed = |source| ServiceError::File { action: "read", path: self.log_path.clone(), source };
        let mut log = File::open(&self.log_path).map_err(failed)?;
        log.seek(SeekFrom::Start(self.read_to)).map_err(failed)?;
        let mut log = BufReader::new(log);
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = log.read_until(b'\n', &mut line).map_err(failed)?;
            if line.last() != Some(&b'\n') {
                // The end, or half a line that PgBouncer is still writing: next time.
                return Ok(());
            }
            self.read_to += length as u64;
            self.seen += u64::from(String::from_utf8_lossy(&line).contains(" login attempt: "));
        }
    }

    /// Starts the count anew at the log's end.
    pub(super) fn forget(&mut self) -> Result<(), ServiceError> {
        self.read_on()?;
        self.seen = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn logins_are_counted_once_and_half_lines_later() {
        let mut log = tempfile::NamedTempFile::new().unwrap();
        let mut logins = Logins::new(log.path());
        let line = "2026-01-01 00:00:00.000 UTC [1] LOG C-0x1: app/app@127.0.0.1:1 login attempt: db=app user=app tls=TLSv1.3";
        write!(log, "LOG process up\n{line}\nLOG S-0x2: new connection to server\n{line}").unwrap();
        assert_eq!(logins.count().unwrap(), 1);
        writeln!(log).unwrap();
        assert_eq!(logins.count().unwrap(), 2);
        assert_eq!(logins.count().unwrap(), 2);
        writeln!(log, "{line}").unwrap();
        logins.forget().unwrap();
        assert_eq!(logins.count().unwrap(), 0);
    }
}
