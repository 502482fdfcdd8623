//! The target: an HTTP/1.1 server with next to nothing to do, in a process of its own.
//!
//! Apart from the generators, whose runtime must not serve it too. Invariant: it ends when its standard input does.

use std::convert::Infallible;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

const BODY: &[u8] = b"[]";

/// How a sink answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As soon as it has read the request.
    AtOnce,
    /// 5 ms later.
    AfterFiveMs,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::AtOnce => "at-once",
            Self::AfterFiveMs => "after-5-ms",
        })
    }
}

impl FromStr for Kind {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let kinds = [Self::AtOnce, Self::AfterFiveMs];
        kinds.into_iter().find(|kind| kind.to_string() == text).with_context(|| format!("no sink {text:?}"))
    }
}

/// A running sink; dropping it ends it.
pub(crate) struct Sink {
    child: Child,
    url: String,
}

impl Sink {
    /// Starts this program once more, as a sink.
    pub(crate) fn start(kind: Kind) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["sink", &kind.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut url = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut url)?;
        }
        let mut sink = Self { child, url };
        sink.url.truncate(sink.url.trim_end().len());
        if sink.url.is_empty() {
            bail!("the sink {kind} did not start");
        }
        Ok(sink)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It ends with its standard input; there is nothing to do about one that cannot be waited for.
        let _ = self.child.wait();
    }
}

/// Serves until standard input ends; prints its address first.
pub(crate) fn serve(kind: Kind) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("http://{}/", listener.local_addr()?);
        std::io::stdout().flush()?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let answer = service_fn(move |_: Request<Incoming>| answer(kind));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    })
}

async fn answer(kind: Kind) -> Result<Response<Full<Bytes>>, Infallible> {
    if kind == Kind::AfterFiveMs {
        // The system's sleep: tokio's timer only knows whole milliseconds, and would answer all generators at its own ticks.
        let _ = tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(5))).await;
    }
    Ok(Response::new(Full::new(Bytes::from_static(BODY))))
}
