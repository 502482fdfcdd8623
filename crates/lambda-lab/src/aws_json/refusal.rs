//! Errors in the shapes of the real service.
//!
//! Apart because clients match on exactly these: `__type` in the body, `x-amzn-errortype` in the header, HTTP 400 for all.
//! Invariant: only names that the services themselves use.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// A request that is answered with an error.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    kind: &'static str,
    /// The member that holds the message: services differ in its case.
    member: &'static str,
    message: String,
}

impl Refusal {
    pub(crate) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, member: "message", message: message.into() }
    }

    /// The same, with the member spelt `Message`, as Secrets Manager's own errors have it.
    pub(crate) fn capital(kind: &'static str, message: impl Into<String>) -> Self {
        Self { member: "Message", ..Self::new(kind, message) }
    }

    pub(super) fn unknown_operation(known: &[&str]) -> Self {
        let message = format!("This endpoint knows {}.", known.join(", "));
        Self::new("UnknownOperationException", message)
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    /// The words with which the service refuses a member that breaks a constraint of its model.
    pub(crate) fn constraint(value: &str, member: &str, constraint: &str) -> Self {
        Self::validation(format!(
            "1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: {constraint}"
        ))
    }

    /// The words with which a service refuses a request that lacks `member`.
    pub(crate) fn null(member: &str) -> Self {
        Self::constraint("null", member, "Member must not be null")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = serde_json::json!({ "__type": self.kind, self.member: self.message });
        (StatusCode::BAD_REQUEST, [("x-amzn-errortype", self.kind)], body.to_string()).into_response()
    }
}
