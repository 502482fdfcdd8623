//! A port for a sandbox's extension to listen on.
//!
//! Apart because on AWS every sandbox has a loopback of its own and here all share one. Invariant: the same port is not given to
//! two sandboxes that live at the same time.

use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range that the system hands to outgoing connections, so that none of those takes a port first.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port that nobody listens on.
///
/// # Errors
/// `AddrInUse` when all are taken.
pub(super) fn free() -> io::Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    for _ in 0..COUNT {
        let port = FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}
