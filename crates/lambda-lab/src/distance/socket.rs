//! One socket of a connection: what its events said, reading it, resetting it.
//!
//! Apart from the connection, which has two and decides when. Invariant: `readable` and `writable` are true unless the socket
//! itself has said otherwise since its last event, which is all that edge-triggered events promise.

use std::io::{self, ErrorKind, Read as _};
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::SockRef;

use super::pipe::{Parcel, is_not_ready};

/// A socket and what its last events said.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) stream: TcpStream,
    pub(super) readable: bool,
    pub(super) writable: bool,
}

impl Socket {
    /// Of `stream`, whose events will come with `token`.
    pub(super) fn register(mut stream: TcpStream, registry: &Registry, token: Token) -> io::Result<Self> {
        // The parcels are the sender's segments; holding small ones back would add a delay that nobody declared.
        stream.set_nodelay(true)?;
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { stream, readable: true, writable: true })
    }

    /// Makes the close that follows a reset.
    pub(super) fn reset(&self) {
        // Where it cannot be set, the peer sees an end in place of a reset.
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }

    /// What there is to read; none when it is not ready.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Option<Parcel> {
        loop {
            return match self.stream.read(buffer) {
                Ok(0) => Some(Parcel::End),
                Ok(length) => Some(Parcel::Bytes { bytes: buffer[..length].to_vec(), written: 0 }),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if is_not_ready(&error) => {
                    self.readable = false;
                    None
                }
                Err(_) => Some(Parcel::Reset),
            };
        }
    }
}
