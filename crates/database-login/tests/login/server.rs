//! Just enough of a PostgreSQL server to see what a client sends before it is let in.
//!
//! Written out rather than started, because a real server does not tell the password that it was given.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
const ASK_FOR_PASSWORD: &[u8] = b"R\0\0\0\x08\0\0\0\x03";
const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

/// A server for one connection.
pub(crate) struct Server {
    pub(crate) port: u16,
    thread: JoinHandle<io::Result<Seen>>,
}

/// What the client sent.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The start-up message's parameters, such as `user`, each followed by its value.
    pub(crate) startup: Vec<String>,
    pub(crate) password: String,
}

impl Server {
    /// Listens on a free port of `localhost`, with TLS if given a way to do it.
    pub(crate) fn start(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { port, thread: thread::spawn(move || serve(listener.accept()?.0, tls)) }
    }

    /// What the client sent, once it is let in; an error if it went away first.
    pub(crate) fn seen(self) -> io::Result<Seen> {
        self.thread.join().unwrap()
    }
}

fn serve(mut socket: TcpStream, tls: Option<Arc<ServerConfig>>) -> io::Result<Seen> {
    let mut request = [0; 8];
    socket.read_exact(&mut request)?;
    assert_eq!(request, SSL_REQUEST, "a client that demands TLS asks for it first");
    let Some(tls) = tls else {
        socket.write_all(b"N")?;
        return greet(socket);
    };
    socket.write_all(b"S")?;
    greet(StreamOwned::new(ServerConnection::new(tls).unwrap(), socket))
}

fn greet(mut stream: impl Read + Write) -> io::Result<Seen> {
    let startup = message(&mut stream)?;
    // The message starts with four bytes of protocol version.
    let startup = startup[4..].split(|byte| *byte == 0).map(text).collect();
    stream.write_all(ASK_FOR_PASSWORD)?;
    stream.flush()?;
    stream.read_exact(&mut [0])?;
    let password = text(message(&mut stream)?.strip_suffix(b"\0").unwrap());
    stream.write_all(WELCOME)?;
    stream.flush()?;
    Ok(Seen { startup, password })
}

fn message(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut body = vec![0; u32::from_be_bytes(length) as usize - length.len()];
    stream.read_exact(&mut body)?;
    Ok(body)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
