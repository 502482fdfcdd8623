//! The Telemetry API as extensions call it.
//!
//! Apart from the subscriptions it makes. The answers are those of Lambda's reference and of its open-source runtime interface
//! emulator. Invariant: only an extension of this sandbox can subscribe.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::put;
use uuid::Uuid;

use super::Subscription;
use crate::logs::SandboxLog;

/// Tells the name of the extension with an id.
pub(in crate::logs) type KnownExtension = Arc<dyn Fn(Uuid) -> Option<String> + Send + Sync>;

#[derive(Clone)]
struct Api {
    log: Arc<SandboxLog>,
    known_extension: KnownExtension,
}

/// `PUT /2022-07-01/telemetry`, and a refusal at its predecessor's address.
pub(in crate::logs) fn router(log: Arc<SandboxLog>, known_extension: KnownExtension) -> Router {
    Router::new()
        .route("/2022-07-01/telemetry", put(subscribe))
        .route("/2020-08-15/logs", put(logs_api))
        .with_state(Api { log, known_extension })
}

async fn subscribe(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let name = match caller(&api, &headers) {
        Ok(name) => name,
        Err((error_type, message)) => return answer(StatusCode::FORBIDDEN, error_type, &message),
    };
    if !api.log.can_subscribe() {
        return closed();
    }
    let subscription = match Subscription::parse(&body) {
        Ok(subscription) => subscription,
        Err(message) => return answer(StatusCode::BAD_REQUEST, "ValidationError", &message),
    };
    if api.log.subscribe(&name, subscription) {
        ([(header::CONTENT_TYPE, "application/json")], "\"OK\"").into_response()
    } else {
        closed()
    }
}

/// The Logs API was superseded by the Telemetry API in 2022; it is not emulated, and this is how Lambda's own emulator says so.
async fn logs_api() -> Response<Body> {
    answer(StatusCode::ACCEPTED, "Logs.NotSupported", "Logs API is not supported")
}

fn closed() -> Response<Body> {
    let message = "Telemetry API subscription is closed already";
    answer(StatusCode::FORBIDDEN, "Telemetry.SubscriptionClosed", message)
}

/// The name of the extension that calls.
fn caller(api: &Api, headers: &HeaderMap) -> Result<String, (&'static str, String)> {
    let Some(value) = headers.get("lambda-extension-identifier") else {
        let message = "Missing Lambda-Extension-Identifier header".to_owned();
        return Err(("Extension.MissingExtensionIdentifier", message));
    };
    let Some(id) = value.to_str().ok().and_then(|text| Uuid::parse_str(text).ok()) else {
        let message = "Invalid Lambda-Extension-Identifier".to_owned();
        return Err(("Extension.InvalidExtensionIdentifier", message));
    };
    (api.known_extension)(id)
        .ok_or_else(|| ("Extension.UnknownExtensionIdentifier", format!("Unknown extension {id}")))
}

fn answer(status: StatusCode, error_type: &str, message: &str) -> Response<Body> {
    let body = serde_json::json!({ "errorMessage": message, "errorType": error_type });
    (status, axum::Json(body)).into_response()
}
