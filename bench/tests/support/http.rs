//! Test support: the smallest HTTP/1.1 server that keeps connections alive, on real loopback sockets.
//!
//! Apart from the tests because the fake lab and the sinks share it. Invariant: requests have no body, as all of the bench's.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// A request's method, path and headers (lower-case names).
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
}

/// What a handler answers: a status and a body, or none to break the connection.
pub(crate) type Answer = Option<(u16, String)>;

/// Serves `handler` on a free loopback port, a thread for each connection; tells the base address.
pub(crate) fn serve(handler: impl Fn(Request) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let handler = Arc::new(handler);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let handler = Arc::clone(&handler);
            // A connection that breaks is the client's business.
            std::thread::spawn(move || connection(stream, &*handler).unwrap_or_default());
        }
    });
    address
}

fn connection(stream: TcpStream, handler: &dyn Fn(Request) -> Answer) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    while let Some(request) = read(&mut reader)? {
        let Some((status, body)) = handler(request) else {
            return Ok(());
        };
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        writer.write_all(answer.as_bytes())?;
    }
    Ok(())
}

fn read(reader: &mut impl BufRead) -> std::io::Result<Option<Request>> {
    let mut first = String::new();
    if reader.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    Ok(Some(Request { method, path, headers }))
}
