//! The pipe that one process of a sandbox writes its output to, and the lab reads.
//!
//! Apart from what becomes of the lines. A task reads whenever there is something; [`Pipe::drain`] reads what is there at once, so
//! that an invocation's last lines stand before its END. Invariant: bytes are taken in the order they were written.

use std::io;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use nix::fcntl::OFlag;
use tokio::net::unix::pipe::Receiver;

use super::lines::Lines;

/// How much the task reads at once: as much as a pipe holds on Linux, so that one read usually empties it.
const CHUNK: usize = 64 * 1024;

/// How much a drain reads at once: most find nothing.
const DRAIN_CHUNK: usize = 8 * 1024;

/// The lab's end of a pipe.
pub(super) struct Pipe {
    end: Receiver,
    lines: Mutex<Lines>,
}

/// What one attempt to read brought.
enum Taken {
    Bytes(usize),
    NothingNow,
    Closed,
}

impl Pipe {
    /// A pipe, and its writing end for a process's stdout and stderr; both on one pipe, so that their order is kept. Call it
    /// within a tokio runtime.
    pub(super) fn open() -> io::Result<(Self, (Stdio, Stdio))> {
        let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
        let stderr = Stdio::from(write.try_clone()?);
        // The lab's end alone does not block: a function that meets a full pipe waits, as it expects to.
        let pipe = Self { end: Receiver::from_owned_fd(read)?, lines: Mutex::default() };
        Ok((pipe, (Stdio::from(write), stderr)))
    }

    /// Reads until every writer is gone; `each` gets what one read completed, whole lines with their line feeds.
    pub(super) async fn read_to_end(&self, mut each: impl FnMut(&[u8])) {
        let mut buffer = vec![0; CHUNK];
        while self.end.readable().await.is_ok() {
            // This read, unlike the drain's, tells tokio when there is nothing more.
            if let Taken::Closed = self.take(&mut buffer, |buffer| self.end.try_read(buffer), &mut each) {
                break;
            }
        }
        self.finish(each);
    }

    /// Reads what is in the pipe now, and gives an unfinished line out too. Bounded: what a pipe can hold is what was written
    /// before, more than that came later.
    pub(super) fn drain(&self, each: impl FnMut(&[u8])) {
        // Not `try_read`: it asks the system only after tokio has heard that there is something.
        self.drain_with(|buffer| nix::unistd::read(&self.end, buffer).map_err(io::Error::from), each);
    }

    fn drain_with(&self, read: impl Fn(&mut [u8]) -> io::Result<usize>, mut each: impl FnMut(&[u8])) {
        let mut buffer = [0; DRAIN_CHUNK];
        let mut left = None;
        while let Taken::Bytes(count) = self.take(&mut buffer, &read, &mut each) {
            let after = left.unwrap_or_else(|| self.capacity()).saturating_sub(count);
            if after == 0 {
                break;
            }
            left = Some(after);
        }
        self.finish(each);
    }

    fn take(
        &self,
        buffer: &mut [u8],
        read: impl Fn(&mut [u8]) -> io::Result<usize>,
        each: &mut impl FnMut(&[u8]),
    ) -> Taken {
        // Held over the read and what becomes of it, so that the task and a drain take turns in the pipe's order.
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        match read(buffer) {
            Ok(0) => Taken::Closed,
            Ok(count) => {
                let mut complete = Vec::with_capacity(count);
                lines.feed(&buffer[..count], &mut complete);
                if !complete.is_empty() {
                    each(&complete);
                }
                Taken::Bytes(count)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Taken::NothingNow,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Taken::Bytes(0),
            Err(_) => Taken::Closed,
        }
    }

    fn finish(&self, mut each: impl FnMut(&[u8])) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut complete = Vec::new();
        lines.finish(&mut complete);
        if !complete.is_empty() {
            each(&complete);
        }
    }

    #[cfg(target_os = "linux")]
    fn capacity(&self) -> usize {
        let size = nix::fcntl::fcntl(&self.end, nix::fcntl::FcntlArg::F_GETPIPE_SZ);
        size.ok().and_then(|size| usize::try_from(size).ok()).unwrap_or(CHUNK)
    }

    #[cfg(not(target_os = "linux"))]
    fn capacity(&self) -> usize {
        CHUNK
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn a_drain_takes_no_more_than_a_pipe_holds_however_fast_it_is_filled_again() {
        let (pipe, _ends) = Pipe::open().unwrap();
        let reads = Cell::new(0);
        let endless = |buffer: &mut [u8]| {
            reads.set(reads.get() + 1);
            // Ends the test where nothing else would.
            if reads.get() > 10_000 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(buffer.len()) }
        };
        pipe.drain_with(endless, |_| {});
        assert_eq!(reads.get(), pipe.capacity().div_ceil(DRAIN_CHUNK));
    }
}
