//! The way into a cage: what a child process does between fork and exec.
//!
//! Apart because it crosses from the cage to the module that forks. Invariant: what a process forks later is in the cage too,
//! because it was in before it became the function's program.

use std::fs::File;
use std::io;

/// Open files of groups; the process that writes `0` to one of them is in that group.
pub(crate) struct Entrance {
    files: io::Result<Vec<File>>,
}

impl Entrance {
    /// Into the groups of these files; an error among them comes out when a process is to be started.
    pub(super) fn new(files: impl IntoIterator<Item = io::Result<File>>) -> Self {
        Self { files: files.into_iter().collect() }
    }

    /// The files to write `0` to.
    ///
    /// # Errors
    /// When one of them could not be opened.
    pub(crate) fn into_files(self) -> io::Result<Vec<File>> {
        self.files
    }
}
