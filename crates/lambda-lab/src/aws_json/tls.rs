//! A TLS listener for axum.
//!
//! Apart from the endpoint so that handshakes run beside each other: axum takes connections one at a time, and a client that
//! never finishes its handshake must not keep the others out. Invariant: dropping the listener drops its socket and every
//! handshake under way.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::certificates::{Authority, CertificateError, Issued};

const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// Finished handshakes that may wait for axum.
const WAITING: usize = 128;

/// Why the endpoint could not start.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Its certificate could not be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Its certificate could not be read again.
    #[error("cannot read {}: {source}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// rustls refused the certificate or the key.
    #[error("an AWS endpoint's certificate does not serve TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// No loopback port could be had.
    #[error("an AWS endpoint cannot listen on 127.0.0.1: {0}")]
    Listen(io::Error),
}

type Accepted = (TlsStream<TcpStream>, SocketAddr);

/// Gives out connections whose handshake is done.
pub(super) struct TlsListener {
    address: SocketAddr,
    accepted: mpsc::Receiver<Accepted>,
    // Dropping the set ends its task, and with it all handshakes.
    _accepting: JoinSet<()>,
}

impl TlsListener {
    /// Listens on a free port of 127.0.0.1 with a new certificate of `authority`, whose files are called `name`.
    pub(super) async fn bind(authority: &Authority, name: &str) -> Result<Self, EndpointError> {
        let config = Arc::new(server_config(&authority.issue(name)?)?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(EndpointError::Listen)?;
        let address = listener.local_addr().map_err(EndpointError::Listen)?;
        let (sender, accepted) = mpsc::channel(WAITING);
        let mut accepting = JoinSet::new();
        accepting.spawn(accept_all(listener, TlsAcceptor::from(config), sender));
        Ok(Self { address, accepted, _accepting: accepting })
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Accepted {
        match self.accepted.recv().await {
            Some(accepted) => accepted,
            // The accepting task ends only with this listener.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn accept_all(listener: TcpListener, acceptor: TlsAcceptor, accepted: mpsc::Sender<Accepted>) {
    let mut handshakes = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                handshakes.spawn(handshake(stream, address, acceptor.clone(), accepted.clone()));
            }
            // Out of file descriptors, most likely: let some connections end first.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
        while handshakes.try_join_next().is_some() {}
    }
}

/// A client that fails its handshake (one that does not trust the authority, say) learns it by TLS itself.
async fn handshake(
    stream: TcpStream,
    address: SocketAddr,
    acceptor: TlsAcceptor,
    accepted: mpsc::Sender<Accepted>,
) {
    // Answers are small and latency counts.
    let _ = stream.set_nodelay(true);
    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_LIMIT, acceptor.accept(stream)).await {
        let _ = accepted.send((stream, address)).await;
    }
}

fn server_config(issued: &Issued) -> Result<rustls::ServerConfig, EndpointError> {
    let unreadable = |path: &PathBuf| {
        let path = path.clone();
        move |source| EndpointError::Pem { path, source }
    };
    let certificate =
        CertificateDer::from_pem_file(&issued.cert_path).map_err(unreadable(&issued.cert_path))?;
    let key = PrivateKeyDer::from_pem_file(&issued.key_path).map_err(unreadable(&issued.key_path))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = builder.with_no_client_auth().with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
