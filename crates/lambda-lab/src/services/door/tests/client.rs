//! A client that can be told to misbehave: PostgreSQL's protocol by hand, over real TLS.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Database;

/// So that a door that keeps silent fails a test instead of hanging it.
const LIMIT: Duration = Duration::from_secs(30);

pub(super) type Tls = TlsStream<TcpStream>;

pub(super) const ASK_TLS: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
pub(super) const ASK_GSSAPI: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 48];

/// A message without a kind, its length before it.
pub(super) fn packet(body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len() + 4).unwrap().to_be_bytes(), body].concat()
}

/// A message of a kind.
pub(super) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], packet(body).as_slice()].concat()
}

/// A start-up message with these parameters.
pub(super) fn startup(parameters: &[(&str, &str)]) -> Vec<u8> {
    let texts: Vec<u8> = parameters.iter().flat_map(|(n, v)| format!("{n}\0{v}\0").into_bytes()).collect();
    packet(&[&[0, 3, 0, 0], texts.as_slice(), &[0]].concat())
}

pub(super) fn app_startup() -> Vec<u8> {
    startup(&[("user", "app"), ("database", "app")])
}

pub(super) fn password(text: &str) -> Vec<u8> {
    message(b'p', format!("{text}\0").as_bytes())
}

pub(super) async fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    // As libpq and sqlx do; without it each login waits 40 ms for an acknowledgement.
    stream.set_nodelay(true).unwrap();
    stream
}

impl Database {
    /// A connection that speaks TLS, verified; nothing of PostgreSQL's protocol was sent within.
    pub(super) async fn connect_tls(&self, port: u16) -> Tls {
        let mut stream = connect(port).await;
        stream.write_all(&ASK_TLS).await.unwrap();
        let mut answer = [0];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"S");
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.authority.ca_path()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }

    /// Logs in at `port`: until ReadyForQuery, with the key for cancelling; or what was told instead.
    pub(super) async fn log_in(&self, port: u16, token: &str) -> Result<(Tls, Vec<u8>), Told> {
        let mut stream = self.connect_tls(port).await;
        send(&mut stream, &app_startup()).await.unwrap();
        assert_eq!(next(&mut stream).await, (b'R', vec![0, 0, 0, 3]), "no question for a password");
        send(&mut stream, &password(token)).await.unwrap();
        let mut key = Vec::new();
        loop {
            match next(&mut stream).await {
                (b'E', body) => return Err(Told::parse(&body)),
                (b'K', body) => key = body,
                (b'Z', _) => return Ok((stream, key)),
                _ => {}
            }
        }
    }
}

/// Sends all of it: `write_all` alone may leave the end of what is much in TLS' own buffer.
pub(super) async fn send(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// One whole message.
pub(super) async fn next(stream: &mut (impl AsyncRead + Unpin)) -> (u8, Vec<u8>) {
    let read = async {
        let kind = stream.read_u8().await.unwrap();
        let length = stream.read_u32().await.unwrap();
        let mut body = vec![0; usize::try_from(length).unwrap() - 4];
        stream.read_exact(&mut body).await.unwrap();
        (kind, body)
    };
    tokio::time::timeout(LIMIT, read).await.unwrap()
}

/// Sends, and returns all that comes until the other side closes.
pub(super) async fn until_closed(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), sent: &[u8]) -> Vec<u8> {
    // Who is refused early may be closed before all is sent.
    let _ = send(stream, sent).await;
    let mut all = Vec::new();
    tokio::time::timeout(LIMIT, stream.read_to_end(&mut all)).await.unwrap().unwrap();
    all
}

/// The answer to a query: the first column of its rows.
pub(super) async fn query(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    sql: &str,
) -> Result<Vec<String>, Told> {
    send(stream, &message(b'Q', format!("{sql}\0").as_bytes())).await.unwrap();
    let (mut rows, mut told) = (Vec::new(), None);
    loop {
        match next(stream).await {
            // A count of columns (2 bytes), the first one's length (4), its text.
            (b'D', body) => rows.push(String::from_utf8(body[6..].to_vec()).unwrap()),
            (b'E', body) => told = Some(Told::parse(&body)),
            (b'Z', _) => return told.map_or(Ok(rows), Err),
            _ => {}
        }
    }
}

/// An ErrorResponse.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) severity: String,
    pub(super) code: String,
    pub(super) message: String,
}

impl Told {
    pub(super) fn fatal(code: &str, message: &str) -> Self {
        Self { severity: "FATAL".to_owned(), code: code.to_owned(), message: message.to_owned() }
    }

    /// From an ErrorResponse's body.
    pub(super) fn parse(body: &[u8]) -> Self {
        let text = std::str::from_utf8(body).unwrap();
        let field =
            |kind: char| text.split('\0').find_map(|field| field.strip_prefix(kind)).unwrap().to_owned();
        Self { severity: field('S'), code: field('C'), message: field('M') }
    }

    /// From all that came: one ErrorResponse and nothing else.
    pub(super) fn alone(all: &[u8]) -> Self {
        assert_eq!(all.first(), Some(&b'E'), "{:?}", String::from_utf8_lossy(all));
        let length = usize::try_from(u32::from_be_bytes(all[1..5].try_into().unwrap())).unwrap();
        assert_eq!(length, all.len() - 1, "{:?}", String::from_utf8_lossy(all));
        Self::parse(&all[5..])
    }
}
