//! A stand-in for AWS Systems Manager's Parameter Store: HTTPS, the AWS JSON 1.1 protocol, the operations that read.
//!
//! Apart from the servers because it runs inside the lab. It answers any client of the real service (SDK, extension) in the
//! real shapes, errors included. What it does not do: it demands a Signature Version 4 header with the lab's access key but
//! does not compute the signature, it never throttles, and it checks no IAM policy. Invariant: parameters never change while
//! it runs, so every one has version 1 and no label.

mod operations;
mod refusal;
mod signature;
mod store;
mod tls;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::certificates::Authority;
use refusal::Refusal;
use store::Store;
pub use tls::SsmError;

/// How long `stop` waits for answers that are being written.
const STOP_GRACE: Duration = Duration::from_secs(2);
/// What the operation's name follows in the header `X-Amz-Target`.
const TARGET_PREFIX: &str = "AmazonSSM.";

/// One parameter to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Full name, such as `/stadiums/database/host`.
    pub name: String,
    /// Its plain value.
    pub value: String,
    /// Whether it is a `SecureString`, whose value is only given out `WithDecryption`.
    pub secure: bool,
}

/// A running endpoint; dropping it ends it too, without waiting.
pub struct SsmEndpoint {
    port: u16,
    url: String,
    shared: Arc<Shared>,
    shutdown: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

struct Shared {
    store: Store,
    access_key: String,
    counters: Mutex<BTreeMap<String, u64>>,
}

impl SsmEndpoint {
    /// Starts on a free port of 127.0.0.1 with a certificate of `authority`. Only requests whose `Authorization` header names
    /// `access_key` are answered.
    ///
    /// # Errors
    /// [`SsmError`] when the certificate cannot be made or no port can be had.
    pub async fn start(
        authority: &Authority,
        parameters: Vec<Parameter>,
        access_key: &str,
    ) -> Result<Self, SsmError> {
        let listener = tls::TlsListener::bind(authority).await?;
        let port = listener.port();
        let url = format!("https://localhost:{port}");
        let shared = Arc::new(Shared {
            store: Store::new(parameters),
            access_key: access_key.to_owned(),
            counters: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let (shutdown, told) = oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            // A dropped sender is word enough: it is how a dropped endpoint ends.
            let told = async { drop(told.await) };
            let _ = axum::serve(listener, router).with_graceful_shutdown(told).await;
        });
        Ok(Self { port, url, shared, shutdown, server })
    }

    /// The port of 127.0.0.1 it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The endpoint's address, `https://localhost:<port>`, as `AWS_ENDPOINT_URL_SSM` wants it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Calls by operation since the start, such as `GetParameters`; refused ones count too, unless the caller was unknown.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        self.shared.counters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends it: no new connection is taken, and answers being written get two seconds.
    pub async fn stop(self) {
        drop(self.shutdown);
        let abort = self.server.abort_handle();
        if tokio::time::timeout(STOP_GRACE, self.server).await.is_err() {
            abort.abort();
        }
    }
}

/// Answers every request: the protocol knows one path and one method, and names the operation in a header.
async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
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

impl Shared {
    fn answer(&self, headers: &HeaderMap, body: &[u8]) -> Result<String, Refusal> {
        let region = signature::region(headers, &self.access_key)?;
        let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let operation = target.and_then(|target| target.strip_prefix(TARGET_PREFIX)).unwrap_or_default();
        let perform = operations::by_name(operation).ok_or_else(Refusal::unknown_operation)?;
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        *counters.entry(operation.to_owned()).or_default() += 1;
        drop(counters);
        perform(&self.store, &region, body)
    }
}
