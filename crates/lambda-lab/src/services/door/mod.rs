//! RDS Proxy's door: the TLS port that clients log in at with an IAM token, in front of PgBouncer.
//!
//! Apart from PgBouncer because that can verify a password, not a token. After the login the door only copies bytes. It runs on
//! a thread of its own: it stands on the path of every query, whose time is being measured, and must not wait for the lab's
//! other work. Invariant: PgBouncer's socket lies in a folder that only the server's user and root may enter, so this is the
//! only way in.

mod refusal;
mod session;
mod signature;
mod startup;
#[cfg(test)]
mod tests;
mod tls;
mod token;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

pub use token::DatabaseIam;

use super::error::ServiceError;
use crate::certificates::Authority;
use refusal::Refusal;
use session::{Gate, HOST};

/// Tells the time.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// As many clients at once as PgBouncer takes.
pub(crate) const MOST_CLIENTS: usize = 1000;
/// PostgreSQL's own limit (`authentication_timeout`): a sandbox may be frozen in the middle of a login.
const LOGIN_LIMIT: Duration = Duration::from_secs(60);

/// What the door opens, and for whom.
pub(crate) struct Guarded {
    /// Whose tokens are taken.
    pub(crate) iam: DatabaseIam,
    /// The one role that may log in.
    pub(crate) role: &'static str,
    /// PgBouncer's Unix socket.
    pub(crate) socket: PathBuf,
    /// Tells a token's age.
    pub(crate) clock: Clock,
}

/// An open door; dropping it closes the port and every connection, and waits for its thread to end.
pub(crate) struct Door {
    gate: Arc<Gate>,
    port: u16,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Door {
    /// Opens on a free port of 127.0.0.1, with a certificate of `authority`.
    pub(crate) fn open(authority: &Authority, guarded: Guarded) -> Result<Self, ServiceError> {
        Self::open_with(authority, guarded, MOST_CLIENTS, LOGIN_LIMIT)
    }

    fn open_with(
        authority: &Authority,
        guarded: Guarded,
        most_clients: usize,
        login_limit: Duration,
    ) -> Result<Self, ServiceError> {
        let Guarded { iam, role, socket, clock } = guarded;
        let acceptor = tls::acceptor(authority)?;
        let listener = listen().map_err(super::no_port)?;
        let port = listener.local_addr().map_err(super::no_port)?.port();
        let (logins, refused) = (AtomicU64::new(0), AtomicU64::new(0));
        let advertised = AtomicU16::new(port);
        let gate =
            Gate { acceptor, iam, role, socket, clock, port: advertised, login_limit, logins, refused };
        let gate = Arc::new(gate);
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&gate);
        // Built here, so that what fails is told; a runtime may be used by another thread.
        let runtime = Builder::new_current_thread().enable_all().build().map_err(no_thread)?;
        let run = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept_all(listener, serving, most_clients) => {}
                    _ = stopped => {}
                }
            });
        };
        let thread = thread::Builder::new().name("database-door".to_owned()).spawn(run).map_err(no_thread)?;
        Ok(Self { gate, port, stop: Some(stop), thread: Some(thread) })
    }

    /// The port it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The port that clients are given: tokens must be signed for it.
    pub(crate) fn advertised_port(&self) -> u16 {
        self.gate.port.load(Ordering::Relaxed)
    }

    /// From now on clients are given another port, one that leads here.
    pub(crate) fn advertise(&self, port: u16) {
        self.gate.port.store(port, Ordering::Relaxed);
    }

    /// The host name that clients are given.
    pub(crate) fn host() -> &'static str {
        HOST
    }

    /// Clients that asked to log in since the door was opened, over TLS; refused ones are among them.
    pub(crate) fn logins(&self) -> u64 {
        self.gate.logins.load(Ordering::Relaxed)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It panicked, if at all, in a thread whose message is already on the terminal.
            let _ = thread.join();
        }
    }
}

fn listen() -> io::Result<StdListener> {
    let listener = StdListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn no_thread(source: io::Error) -> ServiceError {
    ServiceError::Spawn { program: PathBuf::from("the database's door"), source }
}

/// Serves every client; one too many is told so at once, in plain text.
async fn accept_all(listener: StdListener, gate: Arc<Gate>, most_clients: usize) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    let mut clients = JoinSet::new();
    loop {
        let accepted = listener.accept().await;
        while clients.try_join_next().is_some() {}
        match accepted {
            Ok((client, _)) if clients.len() >= most_clients => {
                // Into an empty buffer, so it does not wait; who is gone is not told.
                let _ = client.writable().await;
                let _ = client.try_write(&Refusal::TooManyClients(most_clients).message());
            }
            Ok((client, _)) => {
                let gate = Arc::clone(&gate);
                clients.spawn(async move { gate.serve(client).await });
            }
            // Out of file descriptors, most likely: let some connections end first.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
