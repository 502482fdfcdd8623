//! Redis with nothing around it: one TLS connection, GET and SET, by hand.
//!
//! Apart from the functions' client because it is the floor to measure that client against: no pool, no reconnecting, no limits, no
//! pipelining. Nothing but the floor may use it. The protocol: <https://redis.io/docs/latest/develop/reference/protocol-spec/>.
//! Invariant: a connection that failed is dropped by its owner, so no answer is read for another's question.

use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;

use database_login::Roots;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

/// The longest value that Redis stores, in bytes.
const LONGEST: usize = 512 << 20;

/// A connection.
pub struct BareRedis {
    stream: BufReader<TlsStream<TcpStream>>,
}

impl BareRedis {
    /// Connects to `host`:`port`, whose certificate must lead to `roots`, and shows the password.
    ///
    /// # Errors
    /// The network's, TLS's or Redis's words.
    pub async fn connect(host: &str, port: u16, password: &str, roots: &Roots) -> Result<Self> {
        let tcp = TcpStream::connect((host, port)).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from(host.to_owned()).map_err(Error::other)?;
        let config = roots.client_config().map_err(Error::other)?;
        let tls = TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
        let mut connection = Self { stream: BufReader::with_capacity(16 << 10, tls) };
        connection.ask(&[b"AUTH", password.as_bytes()]).await?;
        Ok(connection)
    }

    /// The value of `key`, if it has one.
    ///
    /// # Errors
    /// The network's or Redis's words.
    pub async fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>> {
        self.ask(&[b"GET", key.as_bytes()]).await
    }

    /// Stores `value` for good.
    ///
    /// # Errors
    /// The network's or Redis's words.
    pub async fn set(&mut self, key: &str, value: &[u8]) -> Result<()> {
        self.ask(&[b"SET", key.as_bytes(), value]).await.map(drop)
    }

    async fn ask(&mut self, words: &[&[u8]]) -> Result<Option<Vec<u8>>> {
        let mut command = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            command.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            command.extend_from_slice(word);
            command.extend_from_slice(b"\r\n");
        }
        self.stream.write_all(&command).await?;
        self.stream.flush().await?;
        self.reply().await
    }

    /// A simple string counts as nothing, like nil.
    async fn reply(&mut self) -> Result<Option<Vec<u8>>> {
        let mut line = String::new();
        self.stream.read_line(&mut line).await?;
        let unknown = || Error::new(ErrorKind::InvalidData, format!("Redis answered {line:?}"));
        let rest = line.strip_suffix("\r\n").ok_or_else(unknown)?;
        if rest == "$-1" || rest.starts_with('+') {
            return Ok(None);
        }
        let length: usize =
            rest.strip_prefix('$').and_then(|length| length.parse().ok()).ok_or_else(unknown)?;
        if length > LONGEST {
            return Err(unknown());
        }
        let mut value = vec![0; length + 2];
        self.stream.read_exact(&mut value).await?;
        value.truncate(length);
        Ok(Some(value))
    }
}
