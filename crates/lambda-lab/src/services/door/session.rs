//! One client's connection: TLS, start-up, token, and then bytes both ways.
//!
//! Apart from the listening because each runs by itself. Invariant: not a byte of a client reaches PgBouncer before its token
//! was verified, but for a CancelRequest, whose key PgBouncer verifies.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional_with_sizes,
};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::refusal::Refusal;
use super::startup::{Opening, ReadError, Startup, read_password};
use super::token::{DatabaseIam, Login, verify};

/// The name under which every client knows the database.
pub(super) const HOST: &str = "localhost";
/// AuthenticationCleartextPassword.
const ASK_PASSWORD: [u8; 9] = [b'R', 0, 0, 0, 8, 0, 0, 0, 3];
/// A fatal TLS alert, `handshake_failure`: to who begins with TLS before asking.
const TLS_ALERT: [u8; 7] = [0x15, 3, 3, 0, 2, 2, 40];
/// How long a refused client may take to read why.
const FAREWELL_LIMIT: Duration = Duration::from_secs(1);
/// What is copied at once, in bytes: a full TLS record.
const CHUNK: usize = 16 * 1024;
/// How many refused tokens are told to the lab's user: a function that tries for ever must not fill the terminal.
const TOLD: u64 = 20;

/// What all connections share.
pub(super) struct Gate {
    pub(super) acceptor: TlsAcceptor,
    pub(super) iam: DatabaseIam,
    /// The one role that may log in.
    pub(super) role: &'static str,
    /// PgBouncer's socket.
    pub(super) socket: PathBuf,
    pub(super) clock: super::Clock,
    /// The port that clients were given.
    pub(super) port: AtomicU16,
    /// How long a client may take to log in.
    pub(super) login_limit: Duration,
    /// Clients that asked to log in, over TLS.
    pub(super) logins: AtomicU64,
    /// Tokens refused.
    pub(super) refused: AtomicU64,
}

/// A client that is let in, and its connection to PgBouncer.
type Admitted = (TlsStream<TcpStream>, UnixStream);

impl Gate {
    /// Serves one client until it leaves.
    pub(super) async fn serve(&self, mut client: TcpStream) {
        // Messages are small and latency counts.
        let _ = client.set_nodelay(true);
        let deadline = tokio::time::Instant::now() + self.login_limit;
        let Ok(opened) = tokio::time::timeout_at(deadline, self.until_tls(&mut client)).await else {
            return farewell(client, &Refusal::TimedOut.message()).await;
        };
        match opened {
            Ok(true) => {}
            Ok(false) | Err(ReadError::Gone) => return,
            Err(ReadError::DirectTls) => return farewell(client, &TLS_ALERT).await,
            Err(ReadError::Refused(refusal)) => return farewell(client, &refusal.message()).await,
        }
        // A client that fails its handshake (one that does not trust the authority, say) learns it by TLS itself.
        let Ok(Ok(mut client)) = tokio::time::timeout_at(deadline, self.acceptor.accept(client)).await else {
            return;
        };
        match tokio::time::timeout_at(deadline, self.admit(&mut client)).await {
            Ok(Ok(Some(server))) => splice((client, server)).await,
            // A cancellation is answered by a goodbye alone.
            Ok(Ok(None)) => farewell(client, &[]).await,
            Ok(Err(ReadError::Gone | ReadError::DirectTls)) => {}
            Ok(Err(ReadError::Refused(refusal))) => farewell(client, &refusal.message()).await,
            Err(_) => farewell(client, &Refusal::TimedOut.message()).await,
        }
    }

    /// Plain text until the client asks for TLS; false when it only cancelled.
    async fn until_tls(&self, client: &mut TcpStream) -> Result<bool, ReadError> {
        let mut asked_gssapi = false;
        loop {
            match Opening::read(client).await? {
                Opening::Tls => {
                    client.write_all(b"S").await?;
                    return Ok(true);
                }
                Opening::Gssapi if !asked_gssapi => {
                    asked_gssapi = true;
                    client.write_all(b"N").await?;
                }
                Opening::Gssapi => return Err(Refusal::ProtocolVersion.into()),
                Opening::Cancel(message) => {
                    self.cancel(&message).await;
                    return Ok(false);
                }
                Opening::Startup(_) => return Err(Refusal::TlsRequired.into()),
            }
        }
    }

    /// Within TLS: start-up and token; the connection to PgBouncer, with the start-up sent, or none after a cancellation.
    async fn admit(&self, client: &mut TlsStream<TcpStream>) -> Result<Option<UnixStream>, ReadError> {
        let startup = match Opening::read(client).await {
            Ok(Opening::Startup(startup)) => startup,
            Ok(Opening::Cancel(message)) => {
                self.cancel(&message).await;
                return Ok(None);
            }
            Ok(Opening::Tls | Opening::Gssapi) => return Err(Refusal::ProtocolVersion.into()),
            Err(error) => return Err(error),
        };
        self.logins.fetch_add(1, Ordering::Relaxed);
        let Startup { message, user } = startup;
        if user != self.role {
            return Err(Refusal::NoCredentials { user }.into());
        }
        client.write_all(&ASK_PASSWORD).await?;
        client.flush().await?;
        let token = read_password(client).await?;
        self.check(&token, &user)?;
        let unavailable = |error: std::io::Error| Refusal::Unavailable(error.to_string());
        let mut server = UnixStream::connect(&self.socket).await.map_err(unavailable)?;
        server.write_all(&message).await.map_err(unavailable)?;
        Ok(Some(server))
    }

    fn check(&self, token: &str, user: &str) -> Result<(), Refusal> {
        let endpoint = format!("{HOST}:{}", self.port.load(Ordering::Relaxed));
        let login = Login { endpoint: &endpoint, user };
        let now: SystemTime = (self.clock)();
        verify(token, &login, &self.iam, now).map_err(|reason| {
            let told = self.refused.fetch_add(1, Ordering::Relaxed);
            if told < TOLD {
                eprintln!("lambda-lab: the database refused the token of {user:?}: {reason}");
            }
            Refusal::IamFailed { user: user.to_owned() }
        })
    }

    /// Hands a CancelRequest to PgBouncer, which answers none either.
    async fn cancel(&self, message: &[u8]) {
        if let Ok(mut server) = UnixStream::connect(&self.socket).await {
            let _ = server.write_all(message).await;
            // It closes when it has read it; the client takes our closing for the sign that it was heard.
            let _ = timeout(FAREWELL_LIMIT, server.read(&mut [0])).await;
        }
    }
}

/// Copies both ways until both sides are done.
async fn splice((mut client, mut server): Admitted) {
    // An error is a connection that broke: dropping both tells the other side.
    let _ = copy_bidirectional_with_sizes(&mut client, &mut server, CHUNK, CHUNK).await;
}

/// Sends the last words, and waits a little for the client to have read them: closing at once, with something of the client
/// unread, would take them back from it.
async fn farewell(mut client: impl AsyncRead + AsyncWrite + Unpin, words: &[u8]) {
    let say = async {
        client.write_all(words).await?;
        client.shutdown().await?;
        let mut rest = [0; 1024];
        while client.read(&mut rest).await? > 0 {}
        Ok::<_, std::io::Error>(())
    };
    let _ = timeout(FAREWELL_LIMIT, say).await;
}
