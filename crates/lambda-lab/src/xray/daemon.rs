//! The X-Ray daemon's port: one UDP socket for all functions of the lab, and the thread that empties it.
//!
//! Apart from reading what comes, so that the socket is emptied as fast as datagrams can be copied. Invariant: a datagram is passed
//! on, or the kernel counted it as dropped.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use socket2::SockRef;

use super::writer::{Documents, Work};

/// More than a datagram can hold.
const MAX_DATAGRAM: usize = 64 * 1024;

/// What the kernel is asked to hold for us: some thousand documents.
const RECEIVE_BUFFER_BYTES: usize = 16 * 1024 * 1024;

/// How much may wait to be written before the socket is left to the kernel, which counts what does not fit.
const MAX_BACKLOG_BYTES: usize = 64 * 1024 * 1024;

/// How often to look whether the backlog has shrunk.
const BACKLOG_PAUSE: Duration = Duration::from_millis(1);

/// How long to wait for a datagram before looking whether this is the end.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Bytes of datagrams between the socket and the file.
#[derive(Debug, Default)]
pub(super) struct Backlog(AtomicUsize);

impl Backlog {
    fn added(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn taken(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn is_full(&self) -> bool {
        self.0.load(Ordering::Relaxed) > MAX_BACKLOG_BYTES
    }
}

/// The open port.
pub(super) struct Daemon {
    address: SocketAddr,
    ending: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Daemon {
    /// Opens a free port on loopback; what comes goes to `work`.
    pub(super) fn start(work: Documents, backlog: Arc<Backlog>) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        enlarge(&socket);
        // What wakes the thread at the end may not come.
        socket.set_read_timeout(Some(LOOK_AGAIN))?;
        let address = socket.local_addr()?;
        let ending = Arc::new(AtomicBool::new(false));
        let told_to_end = Arc::clone(&ending);
        let receive = move || receive(&socket, &work, &backlog, &told_to_end);
        let thread = std::thread::Builder::new().name("xray-daemon".to_owned()).spawn(receive)?;
        Ok(Self { address, ending, thread })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Reads what has come, then ends; tells how many datagrams the kernel dropped, where the system tells.
    pub(super) fn end(self) -> Option<u64> {
        // While the port is still open.
        let lost = dropped(self.address);
        self.ending.store(true, Ordering::Release);
        // Wakes the thread; if this does not fit, it is awake.
        if let Ok(socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) {
            let _ = socket.send_to(&[], self.address);
        }
        let _ = self.thread.join();
        lost
    }
}

/// As large as the kernel allows: a privileged lab may go beyond `net.core.rmem_max`.
fn enlarge(socket: &UdpSocket) {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::socket::{setsockopt, sockopt};
        if setsockopt(socket, sockopt::RcvBufForce, &RECEIVE_BUFFER_BYTES).is_ok() {
            return;
        }
    }
    // A smaller buffer drops sooner, and that is counted.
    let _ = SockRef::from(socket).set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
}

/// Nothing came: a signal, or the time to look again.
fn is_wait_over(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn receive(socket: &UdpSocket, work: &Documents, backlog: &Backlog, ending: &AtomicBool) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    let mut draining = false;
    loop {
        while backlog.is_full() && !ending.load(Ordering::Acquire) {
            std::thread::sleep(BACKLOG_PAUSE);
        }
        let received = socket.recv(&mut buffer);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if !draining && ending.load(Ordering::Acquire) {
            draining = socket.set_nonblocking(true).is_ok();
            if !draining {
                return;
            }
        }
        match received {
            // What wakes us at the end is empty.
            Ok(0) if draining => {}
            Ok(length) => {
                backlog.added(length);
                let received_unix_us = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
                let datagram = Work::Datagram { bytes: buffer[..length].to_vec(), received_unix_us };
                work.send(datagram);
            }
            Err(_) if draining => return,
            Err(error) if is_wait_over(error.kind()) => {}
            Err(error) => {
                eprintln!("lambda-lab: the X-Ray daemon's port failed: {error}; trace documents are lost");
                return;
            }
        }
    }
}

/// How many datagrams to the socket bound to `address` the kernel has dropped: the last column of its line.
fn dropped(address: SocketAddr) -> Option<u64> {
    let port = format!(":{:04X}", address.port());
    let table = std::fs::read_to_string("/proc/net/udp").ok()?;
    let mut lines = table.lines().map(str::split_ascii_whitespace);
    let mut line = lines.find(|line| line.clone().nth(1).is_some_and(|local| local.ends_with(&port)))?;
    line.next_back()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn what_came_before_the_end_is_passed_on_in_order() {
        let (work, worked) = channel();
        let daemon = Daemon::start(Documents::new(work), Arc::default()).unwrap();
        let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        client.connect(daemon.address()).unwrap();
        for number in 0..500_u32 {
            client.send(&number.to_be_bytes()).unwrap();
        }
        client.send(&[]).unwrap();
        assert!(matches!(daemon.end(), Some(0) | None));
        let numbers = worked.iter().filter_map(|work| match work {
            Work::Datagram { bytes, .. } => Some(u32::from_be_bytes(bytes.try_into().ok()?)),
            _ => None,
        });
        let received: Vec<_> = numbers.collect();
        assert_eq!(received, (0..500).collect::<Vec<_>>());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_the_kernel_drops_is_counted() {
        let (work, worked) = channel();
        let backlog = Arc::new(Backlog::default());
        // A backlog that nobody works off: the socket is left to the kernel.
        backlog.added(MAX_BACKLOG_BYTES + 1);
        let daemon = Daemon::start(Documents::new(work), Arc::clone(&backlog)).unwrap();
        let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        client.connect(daemon.address()).unwrap();
        let (datagram, sent) = (vec![b'x'; 60_000], 1_000);
        for _ in 0..sent {
            client.send(&datagram).unwrap();
        }
        let lost = dropped(daemon.address()).unwrap();
        assert!(lost > 0, "60 MB do not fit into the buffer");
        backlog.taken(MAX_BACKLOG_BYTES + 1);
        assert_eq!(daemon.end(), Some(lost));
        let received =
            worked.iter().filter(|work| matches!(work, Work::Datagram { bytes, .. } if !bytes.is_empty()));
        assert_eq!(received.count() as u64 + lost, sent, "received or counted");
    }
}
