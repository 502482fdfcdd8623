//! Errors in the shapes of the real service.
//!
//! Apart because clients match on exactly these: `__type` in the body, `x-amzn-errortype` in the header, HTTP 400 for all.
//! Invariant: only names that Systems Manager itself uses.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// A request that is answered with an error.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    kind: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(super) fn unknown_operation() -> Self {
        Self::new(
            "UnknownOperationException",
            "This endpoint knows GetParameter, GetParameters and GetParametersByPath.",
        )
    }

    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    /// The words with which the service refuses a member that breaks a constraint of its model.
    pub(super) fn constraint(value: &str, member: &str, constraint: &str) -> Self {
        Self::validation(format!(
            "1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: {constraint}"
        ))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = serde_json::json!({ "__type": self.kind, "message": self.message });
        (StatusCode::BAD_REQUEST, [("x-amzn-errortype", self.kind)], body.to_string()).into_response()
    }
}
