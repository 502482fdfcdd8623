//! Reading and writing the files by which the kernel tells and is told about a group or a process.
//!
//! Apart because every backend does it on the way of an invocation. Invariant: a read is one system call on a file that stays open,
//! into a buffer on the stack.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// Longer than `cpu.stat`, with about 300 bytes the longest of a group's files, and than what is read of a process's `status`.
const BUFFER_BYTES: usize = 1024;

/// A file of counters, kept open.
pub(super) struct Counters(File);

impl Counters {
    /// Opens `group/name`.
    pub(super) fn open(group: &Path, name: &str) -> io::Result<Self> {
        let path = group.join(name);
        File::open(&path).map(Self).map_err(|error| naming(&path, &error))
    }

    /// The only number in the file.
    pub(super) fn number(&self) -> Option<u64> {
        self.read(|text| text.trim_ascii().parse().ok())
    }

    /// Lets `look` find its values in the file's text.
    pub(super) fn read<T>(&self, look: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let mut buffer = [0; BUFFER_BYTES];
        let length = self.0.read_at(&mut buffer, 0).ok()?;
        look(std::str::from_utf8(buffer.get(..length)?).ok()?)
    }
}

/// The number in the line `name number` of `text`.
pub(super) fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

/// Opens `group/name` to be written again and again.
pub(super) fn open_to_write(group: &Path, name: &str) -> io::Result<File> {
    let path = group.join(name);
    OpenOptions::new().write(true).open(&path).map_err(|error| naming(&path, &error))
}

/// Writes `value` to `group/name` once.
pub(super) fn write(group: &Path, name: &str, value: &str) -> io::Result<()> {
    let written = open_to_write(group, name)?.write_at(value.as_bytes(), 0);
    written.map(drop).map_err(|error| {
        let path = group.join(name);
        io::Error::new(error.kind(), format!("cannot write `{value}` to {}: {error}", path.display()))
    })
}

/// `error` with the file it is about.
pub(super) fn naming(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
