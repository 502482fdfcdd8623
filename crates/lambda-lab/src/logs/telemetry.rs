//! The Telemetry API.
//!
//! Apart from the log. Invariant: none yet.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::routing::put;
use uuid::Uuid;

use super::SandboxLog;

pub(super) type KnownExtension = Arc<dyn Fn(Uuid) -> Option<String> + Send + Sync>;

pub(super) fn router(_log: Arc<SandboxLog>, _known_extension: KnownExtension) -> Router {
    let refuse = || async {
        let body =
            r#"{"errorType":"Telemetry.NotSupported","errorMessage":"Telemetry API is not supported"}"#;
        (StatusCode::ACCEPTED, body).into_response()
    };
    Router::new().route("/2022-07-01/telemetry", put(refuse))
}
