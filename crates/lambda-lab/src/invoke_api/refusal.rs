//! The Invoke API's errors in the shapes of the real service.
//!
//! Apart because clients match on exactly these: the header `x-amzn-errortype`, the members `Type` and `message` (`Message` in one
//! of them, as in the service's model), the status. Invariant: only names that Lambda itself uses.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use crate::fleet::ThrottleReason;

/// A request that is answered with an error.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    status: StatusCode,
    error_type: &'static str,
    body: Value,
}

impl Refusal {
    fn user(status: StatusCode, error_type: &'static str, message: &str) -> Self {
        Self { status, error_type, body: json!({ "Type": "User", "message": message }) }
    }

    pub(super) fn unknown_operation() -> Self {
        let message = "The lab's Lambda API knows POST /2015-03-31/functions/{name}/invocations (Invoke).";
        let body = json!({ "message": message });
        Self { status: StatusCode::NOT_FOUND, error_type: "UnknownOperationException", body }
    }

    pub(super) fn function_not_found(arn: &str) -> Self {
        let body = json!({ "Type": "User", "Message": format!("Function not found: {arn}") });
        Self { status: StatusCode::NOT_FOUND, error_type: "ResourceNotFoundException", body }
    }

    pub(super) fn invalid_content(message: &str) -> Self {
        Self::user(StatusCode::BAD_REQUEST, "InvalidRequestContentException", message)
    }

    pub(super) fn invalid_parameter(message: &str) -> Self {
        Self::user(StatusCode::BAD_REQUEST, "InvalidParameterValueException", message)
    }

    pub(super) fn validation(message: &str) -> Self {
        let body = json!({ "message": message });
        Self { status: StatusCode::BAD_REQUEST, error_type: "ValidationException", body }
    }

    pub(super) fn not_in_set(value: &str, member: &str, set: &str) -> Self {
        Self::validation(&format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy \
             enum value set: [{set}]"
        ))
    }

    // The service's model says `RequestTooLargeException`; what callers of the real one report is this name, such as in
    // <https://github.com/ASFHyP3/hyp3/issues/2241>.
    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!("Request must be smaller than {limit} bytes for the InvokeFunction operation");
        Self::user(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", &message)
    }

    pub(super) fn too_large_for_event(size: usize, limit: usize) -> Self {
        let message =
            format!("{size} byte payload is too large for the Event invocation type (limit {limit} bytes)");
        Self::user(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", &message)
    }

    pub(super) fn throttled(reason: ThrottleReason) -> Self {
        Self::too_many(reason.name(), "Rate Exceeded.")
    }

    pub(super) fn queue_full() -> Self {
        let message = "The lab's queue of asynchronous events is full; wait until some have run.";
        Self::too_many("CallerRateLimitExceeded", message)
    }

    fn too_many(reason: &str, message: &str) -> Self {
        let body = json!({ "Reason": reason, "Type": "User", "message": message });
        Self { status: StatusCode::TOO_MANY_REQUESTS, error_type: "TooManyRequestsException", body }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (header::HeaderName::from_static("x-amzn-errortype"), HeaderValue::from_static(self.error_type)),
        ];
        (self.status, headers, self.body.to_string()).into_response()
    }
}
