//! The X-Ray daemon as far as a sender can tell: a socket that is read.
//!
//! Apart because it counts what arrives: a send that the receiver drops costs less than one that it takes. Invariant: a figure
//! for which datagrams are missing is an error.

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Error;

pub(crate) struct Daemon {
    address: String,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    datagrams: AtomicU64,
    bytes: AtomicU64,
}

impl Daemon {
    pub(crate) fn start() -> io::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        let address = socket.local_addr()?.to_string();
        let counts = Arc::new(Counts::default());
        let counting = Arc::clone(&counts);
        thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(length) = socket.recv(&mut buffer) {
                counting.bytes.fetch_add(length as u64, Ordering::Relaxed);
                counting.datagrams.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(Self { address, counts })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn received(&self) -> u64 {
        self.counts.datagrams.load(Ordering::Relaxed)
    }

    /// Returns when exactly `expected` have been received in all.
    pub(crate) fn wait_for(&self, expected: u64) -> Result<(), Error> {
        let begun = Instant::now();
        while self.received() < expected && begun.elapsed() < Duration::from_secs(5) {
            thread::sleep(Duration::from_millis(1));
        }
        match self.received() {
            received if received == expected => Ok(()),
            received => {
                Err(format!("{received} datagrams arrived instead of {expected}; run it on an idle machine")
                    .into())
            }
        }
    }

    /// Datagrams and bytes, where `invocations` were sampled.
    pub(crate) fn per_invocation(&self, invocations: u64) -> (f64, f64) {
        let share = |count: &AtomicU64| count.load(Ordering::Relaxed) as f64 / invocations as f64;
        (share(&self.counts.datagrams), share(&self.counts.bytes))
    }
}
