//! The messages that a PostgreSQL client sends before it is let in.
//!
//! Apart from what is decided upon them because this is bytes alone. Own code for five messages: `postgres-protocol` is the
//! client's half (it writes these messages and cannot read them), and `pgwire`, which reads them, decodes from a buffer that
//! holds more than the message, while the door must never read ahead: what follows is TLS's, or goes to PgBouncer as it is.
//! Invariant: exactly one message is read, no length is believed before it is checked, and no more is allocated than its limit.
//!
//! <https://www.postgresql.org/docs/current/protocol-message-formats.html>

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::refusal::Refusal;

/// PostgreSQL's limit for messages before the login, in bytes (`MAX_STARTUP_PACKET_LENGTH`).
const LONGEST_STARTUP: usize = 10_000;
/// PostgreSQL's limit for a password, in bytes (`PG_MAX_AUTH_TOKEN_LENGTH`); a token is 1 to 2 kB long.
const LONGEST_PASSWORD: usize = 65_535;

const CANCEL: u32 = 80_877_102;
const TLS: u32 = 80_877_103;
const GSSAPI: u32 = 80_877_104;
const VERSION_3_0: u32 = 3 << 16;

/// Why no message could be read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// The connection broke, or the client left: there is nobody to tell.
    Gone,
    /// The client began with TLS at once, as PostgreSQL 17 allows and those before do not.
    DirectTls,
    /// To be told.
    Refused(Refusal),
}

impl From<io::Error> for ReadError {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl From<Refusal> for ReadError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

fn violation(words: impl Into<String>) -> ReadError {
    ReadError::Refused(Refusal::ProtocolViolation(words.into()))
}

/// A first message.
#[derive(Debug)]
pub(super) enum Opening {
    /// Asks for TLS.
    Tls,
    /// Asks for encryption by GSSAPI.
    Gssapi,
    /// Cancels a query that runs on another connection; the whole message.
    Cancel(Vec<u8>),
    /// Asks to log in.
    Startup(Startup),
}

impl Opening {
    /// Reads one.
    pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Self, ReadError> {
        let mut message = vec![0; 4];
        stream.read_exact(&mut message).await?;
        // A TLS handshake record; as a length it would be above any limit.
        if message[..2] == [0x16, 0x03] {
            return Err(ReadError::DirectTls);
        }
        let length = usize::try_from(number(&message)).unwrap_or(usize::MAX);
        if !(8..=LONGEST_STARTUP).contains(&length) {
            return Err(violation("invalid length of startup packet"));
        }
        message.resize(length, 0);
        stream.read_exact(&mut message[4..]).await?;
        match number(&message[4..]) {
            TLS => Ok(Self::Tls),
            GSSAPI => Ok(Self::Gssapi),
            CANCEL => Ok(Self::Cancel(message)),
            VERSION_3_0 => Ok(Self::Startup(Startup::parse(message)?)),
            _ => Err(Refusal::ProtocolVersion.into()),
        }
    }
}

/// The first four bytes, in the network's order.
fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |number, &byte| number << 8 | u32::from(byte))
}

/// A start-up message.
#[derive(Debug)]
pub(super) struct Startup {
    /// As it came, to be passed on.
    pub(super) message: Vec<u8>,
    /// Who logs in; the last one named, as PostgreSQL takes it.
    pub(super) user: String,
}

impl Startup {
    /// Takes what RDS Proxy takes.
    fn parse(message: Vec<u8>) -> Result<Self, ReadError> {
        let layout = || violation("invalid startup packet layout: expected terminator as last byte");
        // Texts that each end in a zero, and one more zero.
        let body = message[8..].strip_suffix(&[0]).ok_or_else(layout)?;
        let mut user = String::new();
        if !body.is_empty() {
            let mut texts = body.strip_suffix(&[0]).ok_or_else(layout)?.split(|&byte| byte == 0);
            while let Some(name) = texts.next() {
                let value = texts.next().filter(|_| !name.is_empty()).ok_or_else(layout)?;
                match name {
                    b"user" => user = String::from_utf8_lossy(value).into_owned(),
                    b"options" if !value.is_empty() => return Err(Refusal::CommandLineOptions.into()),
                    b"replication" if is_replication(value) => return Err(Refusal::Replication.into()),
                    _ => {}
                }
            }
        }
        if user.is_empty() {
            return Err(Refusal::NoUser.into());
        }
        Ok(Self { message, user })
    }
}

/// All but PostgreSQL's ways to say no.
fn is_replication(value: &[u8]) -> bool {
    !matches!(value.to_ascii_lowercase().as_slice(), b"" | b"false" | b"off" | b"no" | b"0" | b"f" | b"n")
}

/// Reads the answer to the question for a password.
pub(super) async fn read_password(stream: &mut (impl AsyncRead + Unpin)) -> Result<String, ReadError> {
    let mut head = [0; 5];
    stream.read_exact(&mut head).await?;
    let [kind, length @ ..] = head;
    match kind {
        b'p' => {}
        // Terminate: the client changed its mind.
        b'X' => return Err(ReadError::Gone),
        other => return Err(violation(format!("expected password response, got message type {other}"))),
    }
    let length = usize::try_from(number(&length)).unwrap_or(usize::MAX).wrapping_sub(4);
    if !(1..=LONGEST_PASSWORD).contains(&length) {
        return Err(violation("invalid password packet size"));
    }
    let mut password = vec![0; length];
    stream.read_exact(&mut password).await?;
    match password.pop() {
        Some(0) if !password.contains(&0) => Ok(String::from_utf8_lossy(&password).into_owned()),
        _ => Err(violation("invalid password packet size")),
    }
}
