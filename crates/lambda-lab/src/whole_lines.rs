//! A file of lines that grows by whole lines or not at all.
//!
//! Apart from what writes one (invocation records, trace documents), because a full disk must not end a function or tear a line that
//! a reader then trips over. Invariant: after a write that failed, the file ends with the last line that was written whole; the first
//! failure is told on standard error, with the file and the system's words.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// An open file, and the lines that it is to get with the next flush.
#[derive(Debug)]
pub(crate) struct WholeLines {
    path: PathBuf,
    file: File,
    length: u64,
    waiting: Vec<u8>,
    told: bool,
}

impl WholeLines {
    /// Opens the file at `path` for appending; it is made if it is new.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(named)?;
        let length = file.metadata().map_err(named)?.len();
        Ok(Self { path: path.to_owned(), file, length, waiting: Vec::new(), told: false })
    }

    /// Keeps `line`, which has no line feed, for the next flush.
    pub(crate) fn push(&mut self, line: &[u8]) {
        self.waiting.extend_from_slice(line);
        self.waiting.push(b'\n');
    }

    /// How many bytes wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Writes what waits. What cannot be written is dropped and told once: the next lines may find room again.
    pub(crate) fn flush(&mut self) {
        let lines = std::mem::take(&mut self.waiting);
        match self.file.write_all(&lines) {
            Ok(()) => self.length += lines.len() as u64,
            Err(error) => {
                // Where not even this can be done, the told failure is the reason.
                let _ = self.file.set_len(self.length);
                self.tell(&error);
            }
        }
        // The room is used again.
        self.waiting = lines;
        self.waiting.clear();
    }

    /// Not `eprintln!`, which panics where standard error is a file on the same full disk.
    fn tell(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.told, true) {
            let _ = writeln!(
                io::stderr().lock(),
                "lambda-lab: cannot write {}: {error}; it lacks lines from here on, so make room and start again",
                self.path.display()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// In a process of its own, whose files are limited to 1 KiB.
    #[test]
    fn a_line_that_does_not_fit_is_not_there_at_all_and_that_is_told_once() {
        const FILE: &str = "WHOLE_LINES_TEST_FILE";
        if let Ok(path) = std::env::var(FILE) {
            let mut lines = WholeLines::open(Path::new(&path)).unwrap();
            for length in [400, 400, 400, 90, 900] {
                lines.push(&vec![b'x'; length]);
                lines.flush();
            }
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        std::fs::write(&path, "before\n").unwrap();
        let mut shell = Command::new("bash");
        // Unless ignored, the signal would end the process.
        shell
            .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "bash"])
            .arg(std::env::current_exe().unwrap());
        shell.args([
            "--exact",
            "whole_lines::tests::a_line_that_does_not_fit_is_not_there_at_all_and_that_is_told_once",
        ]);
        let output = shell.arg("--nocapture").env(FILE, &path).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let written = std::fs::read_to_string(&path).unwrap();
        assert_eq!(written.lines().map(str::len).collect::<Vec<_>>(), [6, 400, 400, 90]);
        let told = String::from_utf8(output.stderr).unwrap();
        let told: Vec<_> = told.lines().filter(|line| line.starts_with("lambda-lab: cannot write")).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(path.to_str().unwrap()) && told[0].contains("File too large"), "{told:?}");
    }

    #[test]
    fn a_full_disk_is_survived_and_what_waits_does_not_pile_up() {
        let mut lines = WholeLines::open(Path::new("/dev/full")).unwrap();
        for _ in 0..3 {
            lines.push(b"a line");
            lines.flush();
            assert_eq!((lines.waiting(), lines.length), (0, 0));
        }
    }
}
