//! An HTTPS endpoint that speaks the AWS JSON 1.1 protocol, for any service whose operations are given to it.
//!
//! Apart from Parameter Store and Secrets Manager because both are this and their operations. It answers any client of the real
//! service (SDK, extension) in the real shapes, errors included. What it does not do: it demands a Signature Version 4 header with
//! the lab's access key but does not compute the signature, and it checks no IAM policy. Invariant: a caller without the lab's
//! access key learns nothing, and every answer carries a request id.

mod refusal;
mod signature;
mod tls;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::certificates::Authority;
pub(crate) use refusal::Refusal;
pub use tls::EndpointError;

/// How long `stop` waits for answers that are being written.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// A service: what it is called, and what it does.
pub(crate) trait Service: Send + Sync + 'static {
    /// Its name in signatures, such as `ssm`; the certificate's files have it too.
    const SIGNING_NAME: &'static str;
    /// What an operation's name follows in the header `X-Amz-Target`, such as `AmazonSSM.`.
    const TARGET_PREFIX: &'static str;
    /// The operations that [`Service::perform`] knows.
    const OPERATIONS: &'static [&'static str];

    /// Performs `operation`, one of [`Service::OPERATIONS`]: request JSON in, response JSON out.
    ///
    /// # Errors
    /// The service's own refusal.
    fn perform(&self, operation: &str, region: &str, body: &[u8]) -> Result<String, Refusal>;
}

/// A running endpoint; dropping it ends it too, without waiting.
pub(crate) struct Endpoint {
    port: u16,
    url: String,
    counters: Arc<Mutex<BTreeMap<String, u64>>>,
    shutdown: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

struct Shared<S> {
    service: S,
    access_key: String,
    counters: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Endpoint {
    /// Starts on a free port of 127.0.0.1 with a certificate of `authority`. Only requests whose `Authorization` header names
    /// `access_key` are answered.
    pub(crate) async fn start<S: Service>(
        authority: &Authority,
        service: S,
        access_key: &str,
    ) -> Result<Self, EndpointError> {
        let listener = tls::TlsListener::bind(authority, S::SIGNING_NAME).await?;
        let port = listener.port();
        let url = format!("https://localhost:{port}");
        let counters = Arc::default();
        let shared =
            Arc::new(Shared { service, access_key: access_key.to_owned(), counters: Arc::clone(&counters) });
        let router = Router::new().fallback(answer::<S>).with_state(shared);
        let (shutdown, told) = oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            // A dropped sender is word enough: it is how a dropped endpoint ends.
            let told = async { drop(told.await) };
            let _ = axum::serve(listener, router).with_graceful_shutdown(told).await;
        });
        Ok(Self { port, url, counters, shutdown, server })
    }

    /// The port of 127.0.0.1 it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The endpoint's address, `https://localhost:<port>`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Calls by operation since the start; refused ones count too, unless the caller was unknown.
    pub(crate) fn counters(&self) -> BTreeMap<String, u64> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends it: no new connection is taken, and answers being written get two seconds.
    pub(crate) async fn stop(self) {
        drop(self.shutdown);
        let abort = self.server.abort_handle();
        if tokio::time::timeout(STOP_GRACE, self.server).await.is_err() {
            abort.abort();
        }
    }
}

/// Answers every request: the protocol knows one path and one method, and names the operation in a header.
async fn answer<S: Service>(
    State(shared): State<Arc<Shared<S>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut response = match shared.answer(&headers, &body) {
        Ok(json) => (StatusCode::OK, json).into_response(),
        Err(refusal) => refusal.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    if let Ok(id) = HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

impl<S: Service> Shared<S> {
    fn answer(&self, headers: &HeaderMap, body: &[u8]) -> Result<String, Refusal> {
        let region = signature::region(headers, &self.access_key, S::SIGNING_NAME)?;
        let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let operation = target.and_then(|target| target.strip_prefix(S::TARGET_PREFIX)).unwrap_or_default();
        if !S::OPERATIONS.contains(&operation) {
            return Err(Refusal::unknown_operation(S::OPERATIONS));
        }
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        *counters.entry(operation.to_owned()).or_default() += 1;
        drop(counters);
        self.service.perform(operation, &region, body)
    }
}

/// Reads a request.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::new("SerializationException", error.to_string()))
}

/// Writes an answer.
pub(crate) fn write(answer: &impl Serialize) -> Result<String, Refusal> {
    serde_json::to_string(answer).map_err(|error| Refusal::new("InternalServerError", error.to_string()))
}
