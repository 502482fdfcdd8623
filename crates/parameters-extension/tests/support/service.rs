//! The service behind the extension: it writes down every call, answers what the test tells it, and can be held.

use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::serve::Listener;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::LIMIT;

/// One call as it came over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Call {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

/// What the service is told to answer.
type Reply = (StatusCode, String);

pub(crate) struct Service {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    calls: Mutex<Vec<Call>>,
    count: watch::Sender<usize>,
    reply: Mutex<Option<Reply>>,
    open: watch::Sender<bool>,
    in_flight: AtomicUsize,
    peak: AtomicUsize,
}

impl Service {
    /// On plain HTTP, at a free port of loopback.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        Self::start_on(listener, url)
    }

    /// On any listener, reached under `url`.
    pub(crate) fn start_on<L: Listener<Addr: Debug>>(listener: L, url: String) -> Self {
        let shared = Arc::new(Shared {
            calls: Mutex::default(),
            count: watch::Sender::new(0),
            reply: Mutex::default(),
            open: watch::Sender::new(true),
            in_flight: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// Answers this to every call from now on, instead of a value that names the call's number.
    pub(crate) fn reply(&self, status: u16, body: &str) {
        let status = StatusCode::from_u16(status).expect("a status");
        *self.shared.reply.lock().expect("the reply") = Some((status, body.to_owned()));
    }

    /// Keeps every call waiting until `release`.
    pub(crate) fn hold(&self) {
        self.shared.open.send_replace(false);
    }

    pub(crate) fn release(&self) {
        self.shared.open.send_replace(true);
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().expect("the calls").clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.calls().len()
    }

    /// The most calls that were being answered at the same time.
    pub(crate) fn peak(&self) -> usize {
        self.shared.peak.load(Ordering::SeqCst)
    }

    /// Waits until `count` calls have come.
    pub(crate) async fn called(&self, count: usize) {
        let mut calls = self.shared.count.subscribe();
        let waited = tokio::time::timeout(LIMIT, calls.wait_for(|calls| *calls >= count)).await;
        assert!(waited.is_ok(), "{} calls came, not {count}", self.count());
    }
}

async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let call = Call { headers, body: String::from_utf8(body.to_vec()).expect("UTF-8") };
    let number = {
        let mut calls = shared.calls.lock().expect("the calls");
        calls.push(call);
        calls.len()
    };
    let in_flight = shared.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
    shared.peak.fetch_max(in_flight, Ordering::SeqCst);
    shared.count.send_replace(number);
    let _ = shared.open.subscribe().wait_for(|open| *open).await;
    shared.in_flight.fetch_sub(1, Ordering::SeqCst);
    let value = format!(r#"{{"Parameter":{{"Value":"value {number}","LastModifiedDate":1.7000000001E9}}}}"#);
    let reply = shared.reply.lock().expect("the reply").clone();
    let (status, body) = reply.unwrap_or((StatusCode::OK, value));
    (status, [("content-type", "application/x-amz-json-1.1")], body)
}
