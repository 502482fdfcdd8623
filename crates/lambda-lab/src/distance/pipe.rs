//! One direction of one connection: what was read, and when each part of it may be written.
//!
//! Apart from sockets and timers so that order, delay and bounds can be tested with instants made by hand. Nothing sleeps here:
//! every parcel carries the instant it is due, so a stream of them flows as it would on a long wire, each `delay` after its
//! arrival. Invariant: parcels leave in the order they came, none before it is due, and at most [`CAPACITY`] bytes and one read
//! are held.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::time::Instant;

/// How many bytes may be under way in one direction before the sender has to wait, as on a connection whose window is full.
pub(super) const CAPACITY: usize = 1 << 20;

/// What a pipe carries.
#[derive(Debug)]
pub(super) enum Parcel {
    /// Bytes, of which the first `written` have left already.
    Bytes { bytes: Vec<u8>, written: usize },
    /// The sender will send no more.
    End,
    /// The sender reset the connection.
    Reset,
}

/// How far a release came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Released {
    /// Nothing more is due.
    Waiting,
    /// The receiver takes no more for now.
    Blocked,
    /// The end has been reached; the receiver is to be told.
    End,
    /// So has a reset.
    Reset,
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    parcels: VecDeque<(Instant, Parcel)>,
    bytes: usize,
    /// Whether an end or a reset is among the parcels or has left.
    closed: bool,
    /// Whether that has left.
    finished: bool,
    /// Whether any byte has left.
    heard: bool,
}

impl Pipe {
    /// Whether more may be read for it.
    pub(super) fn has_room(&self) -> bool {
        !self.closed && self.bytes < CAPACITY
    }

    /// Whether the receiver was told the end.
    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether the receiver has got a byte.
    pub(super) fn is_heard(&self) -> bool {
        self.heard
    }

    /// Takes a parcel that leaves at `due`, or after the one before it, if that is later. What follows an end is dropped.
    pub(super) fn push(&mut self, parcel: Parcel, due: Instant) {
        if self.closed {
            return;
        }
        match &parcel {
            Parcel::Bytes { bytes, .. } => self.bytes += bytes.len(),
            Parcel::End | Parcel::Reset => self.closed = true,
        }
        self.parcels.push_back((due, parcel));
    }

    /// Forgets what is under way and takes no more: the receiver is gone.
    pub(super) fn abandon(&mut self) {
        self.parcels.clear();
        self.bytes = 0;
        self.closed = true;
        self.finished = true;
    }

    /// When the first parcel is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.parcels.front().map(|(due, _)| *due)
    }

    /// Writes what is due at `now` into `receiver`.
    ///
    /// # Errors
    /// What the receiver says, other than that it is not ready.
    pub(super) fn release(&mut self, now: Instant, receiver: &mut impl Write) -> io::Result<Released> {
        loop {
            let Some((due, parcel)) = self.parcels.front_mut() else { return Ok(Released::Waiting) };
            if *due > now {
                return Ok(Released::Waiting);
            }
            let released = match parcel {
                Parcel::Bytes { bytes, written } => match receiver.write(&bytes[*written..]) {
                    Ok(0) => return Err(ErrorKind::WriteZero.into()),
                    Ok(taken) => {
                        self.heard = true;
                        *written += taken;
                        if *written < bytes.len() {
                            continue;
                        }
                        self.bytes -= bytes.len();
                        None
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    Err(error) if is_not_ready(&error) => return Ok(Released::Blocked),
                    Err(error) => return Err(error),
                },
                Parcel::End => Some(Released::End),
                Parcel::Reset => Some(Released::Reset),
            };
            self.parcels.pop_front();
            if let Some(released) = released {
                self.finished = true;
                return Ok(released);
            }
        }
    }
}

/// Whether to try again later. A socket whose connecting has not ended says `NotConnected` on some systems.
pub(super) fn is_not_ready(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected)
}
