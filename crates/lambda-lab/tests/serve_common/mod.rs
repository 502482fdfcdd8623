//! The program `lambda-lab serve` as a user starts it, for tests that look at it from outside.
#![allow(dead_code)] // Each test file uses its own part of it.
#![allow(clippy::unwrap_used)] // In helpers of tests, as in tests.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// The built program.
pub(crate) const LAMBDA_LAB: &str = env!("CARGO_BIN_EXE_lambda-lab");

/// An example of this crate, built with its tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    assert!(path.is_file(), "{} is not built: run the tests with --examples", path.display());
    path
}

/// A running `lambda-lab serve`; dropping it ends it.
pub(crate) struct Served {
    child: Child,
    pub(crate) urls: BTreeMap<String, String>,
    out: BufReader<std::process::ChildStdout>,
    errors: tempfile::NamedTempFile,
}

impl Served {
    /// Starts it with `arguments` and reads the addresses of its `functions` functions.
    pub(crate) fn start(arguments: &[String], functions: usize) -> Self {
        let errors = tempfile::NamedTempFile::new().unwrap();
        let mut command = Command::new(LAMBDA_LAB);
        command.arg("serve").args(arguments).arg("--with-parent");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors.reopen().unwrap());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut urls = BTreeMap::new();
        for _ in 0..functions {
            let mut line = String::new();
            out.read_line(&mut line).unwrap();
            let said = || std::fs::read_to_string(errors.path()).unwrap();
            let address = line.trim_end().split_once(' ');
            let (name, url) = address.unwrap_or_else(|| panic!("no address: {line:?}; {}", said()));
            urls.insert(name.to_owned(), url.to_owned());
        }
        Self { child, urls, out, errors }
    }

    /// The next line of its standard output, such as that of an invocation that ended.
    pub(crate) fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }

    /// What it has said on standard error so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.errors.path()).unwrap()
    }

    /// Waits until `found` finds what it looks for, at most 20 s.
    pub(crate) async fn wait_for(&self, what: &str, found: impl Fn() -> bool) {
        for _ in 0..400 {
            if found() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{what} did not happen within 20 s; the lab said: {}", self.said());
    }

    /// `http://127.0.0.1:<port>`.
    pub(crate) fn front(&self) -> String {
        let url = self.urls.values().next().unwrap();
        url.rsplit_once('/').unwrap().0.to_owned()
    }

    /// Ends it by the end of its standard input; whether it ended well.
    pub(crate) fn stop(mut self) -> bool {
        drop(self.child.stdin.take());
        let limit = Instant::now() + Duration::from_secs(20);
        while Instant::now() < limit {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends `request`; its answer's status, headers and body.
pub(crate) async fn send(request: Request<Full<Bytes>>) -> (StatusCode, http::HeaderMap, Bytes) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let (head, body) = client.request(request).await.unwrap().into_parts();
    (head.status, head.headers, body.collect().await.unwrap().to_bytes())
}

/// GETs `url`; its answer as JSON.
pub(crate) async fn get(url: &str) -> serde_json::Value {
    let (status, _, body) = send(Request::get(url).body(Full::default()).unwrap()).await;
    assert_eq!(status, 200, "{url}: {body:?}");
    serde_json::from_slice(&body).unwrap()
}
