//! One POST of telemetry to a port of this machine.
//!
//! Apart from when to send. Invariant: an attempt ends, with an answer or without.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// How long a subscriber may take to answer; the service's own figure is not published.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// How much of an answer is read, so that its connection can be used again.
const MAX_ANSWER: usize = 64 * 1024;

/// Sends to one subscriber, one connection after another.
#[derive(Clone)]
pub(super) struct Client {
    http: HttpClient<HttpConnector, Full<Bytes>>,
}

/// Why a batch did not arrive.
#[derive(Debug)]
pub(super) enum Failure {
    /// It may arrive next time.
    Passing,
    /// The subscriber does not want it.
    Refused,
}

impl Client {
    pub(super) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let http = HttpClient::builder(TokioExecutor::new()).pool_max_idle_per_host(1).build(connector);
        Self { http }
    }

    /// POSTs `body`, a JSON array, and waits for the answer, for as long as it takes.
    pub(super) async fn post(&self, destination: &Uri, body: Bytes) -> Result<(), Failure> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(destination)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|_| Failure::Refused)?;
        let answer = self.http.request(request).await.map_err(|_| Failure::Passing)?;
        let status = answer.status();
        // An answer whose body cannot be read was an answer all the same.
        let _ = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
        match status.as_u16() {
            200..=299 => Ok(()),
            400..=499 => Err(Failure::Refused),
            _ => Err(Failure::Passing),
        }
    }
}
