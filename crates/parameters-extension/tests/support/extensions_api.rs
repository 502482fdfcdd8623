//! The Extensions API that Lambda has in a sandbox: registration, and events one at a time as the test sends them.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use super::LIMIT;

const IDENTIFIER: &str = "5c3d5f5e-3a0b-4f5c-9a55-2f0e7d7e6a01";
pub(crate) const INVOKE: &str = r#"{"eventType":"INVOKE","deadlineMs":676051,"requestId":"3da1f2dc-3222-475e-9205-e2e6c6318895",
    "invokedFunctionArn":"arn:aws:lambda:eu-central-1:123456789012:function:f"}"#;
pub(crate) const SHUTDOWN: &str =
    r#"{"eventType":"SHUTDOWN","shutdownReason":"spindown","deadlineMs":676051}"#;

/// The Extensions API, and what the extension said to it.
pub(crate) struct Api {
    pub(crate) address: String,
    shared: Arc<Shared>,
    events: mpsc::UnboundedSender<&'static str>,
}

struct Shared {
    registrations: Mutex<Vec<(String, String)>>,
    /// How often the next event was asked for.
    asked: watch::Sender<usize>,
    events: tokio::sync::Mutex<mpsc::UnboundedReceiver<&'static str>>,
}

impl Api {
    pub(crate) async fn start() -> Self {
        let (events, receiver) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            registrations: Mutex::default(),
            asked: watch::Sender::new(0),
            events: tokio::sync::Mutex::new(receiver),
        });
        let router = Router::new()
            .route("/2020-01-01/extension/register", post(register))
            .route("/2020-01-01/extension/event/next", get(next))
            .with_state(Arc::clone(&shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, shared, events }
    }

    /// The name and the body of every registration.
    pub(crate) fn registrations(&self) -> Vec<(String, String)> {
        self.shared.registrations.lock().expect("the registrations").clone()
    }

    /// Gives this event to the extension when it asks for the next one.
    pub(crate) fn send(&self, event: &'static str) {
        self.events.send(event).expect("the API runs");
    }

    /// Waits until the next event was asked for `count` times.
    pub(crate) async fn asked(&self, count: usize) {
        let mut asked = self.shared.asked.subscribe();
        let waited = tokio::time::timeout(LIMIT, asked.wait_for(|asked| *asked >= count)).await;
        assert!(waited.is_ok(), "the next event was never asked for the {count}. time");
    }
}

async fn register(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> impl IntoResponse {
    let name = headers["lambda-extension-name"].to_str().expect("a name").to_owned();
    shared.registrations.lock().expect("the registrations").push((name, body));
    let answer = r#"{"functionName":"f","functionVersion":"$LATEST","handler":"bootstrap"}"#;
    ([("lambda-extension-identifier", IDENTIFIER)], answer)
}

async fn next(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<&'static str, StatusCode> {
    if headers.get("lambda-extension-identifier").is_none_or(|value| value != IDENTIFIER) {
        return Err(StatusCode::FORBIDDEN);
    }
    shared.asked.send_modify(|asked| *asked += 1);
    shared.events.lock().await.recv().await.ok_or(StatusCode::GONE)
}
