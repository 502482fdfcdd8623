//! As little HTTP as the load needs: one request at a time on a kept connection, the answer's status and body.
//!
//! Apart from any client library, because on a machine of two processors the client's own work is part of what is measured; it is
//! the same for every contender. Invariant: an answer's body is read by its Content-Length to the last byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail};

/// Longer than any answer here may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A kept connection to one address.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    request: Vec<u8>,
    line: String,
    body: Vec<u8>,
}

/// Host, port and path of `http://HOST:PORT/PATH`.
fn parts(url: &str) -> anyhow::Result<(SocketAddr, &str)> {
    let rest = url.strip_prefix("http://").context("expected http://")?;
    let (host, path) = rest.find('/').map_or((rest, "/"), |place| rest.split_at(place));
    Ok((host.parse()?, path))
}

impl Connection {
    /// Connects to `url`, which every request will ask for.
    pub(crate) fn to(url: &str) -> anyhow::Result<Self> {
        let (address, path) = parts(url)?;
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nuser-agent: bench-lab\r\n\r\n").into_bytes();
        Ok(Self { stream: BufReader::new(stream), request, line: String::new(), body: Vec::new() })
    }

    /// Asks once; the status and the body.
    pub(crate) fn ask(&mut self) -> anyhow::Result<(u16, &[u8])> {
        self.stream.get_mut().write_all(&self.request)?;
        let status =
            self.header_line()?.split(' ').nth(1).and_then(|word| word.parse().ok()).context("no status")?;
        let mut length = None;
        loop {
            let line = self.header_line()?;
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = Some(value.trim().parse()?);
            }
        }
        let Some(length) = length else { bail!("an answer {status} without content-length") };
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body)?;
        Ok((status, &self.body))
    }

    fn header_line(&mut self) -> anyhow::Result<&str> {
        self.line.clear();
        if self.stream.read_line(&mut self.line)? == 0 {
            bail!("the connection was closed");
        }
        Ok(self.line.trim_end())
    }
}
