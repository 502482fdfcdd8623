//! The two faces under which HTTP reaches a function, and what differs between them: an HTTP API, and a function URL.
//!
//! Apart because event and answer are the same payload format 2.0 in both; each difference stands here once. Sources:
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>. Invariant: every refusal here is one that the real service
//! words the same, as far as it is published.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use uuid::Uuid;

use crate::fleet::ThrottleReason;
use crate::function::ACCOUNT;
use crate::invoke_api::MAX_EVENT_BYTES;

/// Path prefix of the function URLs; a function of that name is reached by its function URL alone.
pub(crate) const FUNCTION_URL_PREFIX: &str = "function-url";

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Face {
    /// `/<function>/..`, as behind an Amazon API Gateway HTTP API.
    HttpApi,
    /// `/function-url/<function>/..`, as to `https://<url-id>.lambda-url.<region>.on.aws/..`, without authorization.
    FunctionUrl,
}

impl Face {
    /// How long the client waits at most; none: as long as the function may run.
    pub(crate) fn integration_limit(self) -> Option<Duration> {
        match self {
            Self::HttpApi => Some(Duration::from_secs(30)),
            Self::FunctionUrl => None,
        }
    }

    /// The most bytes of a request's body.
    pub(crate) fn max_body_bytes(self) -> usize {
        match self {
            Self::HttpApi => 10 * 1024 * 1024,
            Self::FunctionUrl => MAX_EVENT_BYTES,
        }
    }

    /// The most bytes of request line and header values together, where there is such a limit.
    pub(crate) fn max_head_bytes(self) -> Option<usize> {
        match self {
            Self::HttpApi => Some(10_240),
            Self::FunctionUrl => None,
        }
    }

    /// `requestContext.accountId`: a function URL without authorization does not know its caller.
    pub(crate) fn account_id(self) -> &'static str {
        match self {
            Self::HttpApi => ACCOUNT,
            Self::FunctionUrl => "anonymous",
        }
    }

    /// `requestContext.apiId`.
    pub(crate) fn api_id(self, function: &str) -> &str {
        match self {
            Self::HttpApi => "lambdalab",
            Self::FunctionUrl => function,
        }
    }

    /// `requestContext.requestId`, and the header that tells it to the client: an HTTP API has ids of its own.
    pub(crate) fn request_id(self, invocation: &str) -> (HeaderName, String) {
        match self {
            Self::HttpApi => {
                let id = STANDARD.encode(&Uuid::new_v4().as_bytes()[..11]);
                (HeaderName::from_static("apigw-requestid"), id)
            }
            Self::FunctionUrl => (HeaderName::from_static("x-amzn-requestid"), invocation.to_owned()),
        }
    }

    /// The content type of an answer that names none.
    pub(crate) fn default_content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::HttpApi => "text/plain;charset=UTF-8",
            Self::FunctionUrl => "application/json",
        })
    }

    /// The function failed, timed out or answered nonsense.
    pub(crate) fn function_failed(self) -> Response<Body> {
        match self {
            Self::HttpApi => message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
            Self::FunctionUrl => answer(StatusCode::BAD_GATEWAY, "Internal Server Error".to_owned()),
        }
    }

    /// Lambda throttled the request.
    pub(crate) fn throttled(self, reason: ThrottleReason) -> Response<Body> {
        match self {
            Self::HttpApi => Self::timed_out(),
            Self::FunctionUrl => {
                let body = json!({ "Reason": reason.name(), "Type": "User", "message": "Rate Exceeded." });
                let mut response = answer(StatusCode::TOO_MANY_REQUESTS, body.to_string());
                let error_type = HeaderValue::from_static("TooManyRequestsException");
                response.headers_mut().insert("x-amzn-errortype", error_type);
                response
            }
        }
    }

    /// The integration time-out ended the wait.
    pub(crate) fn timed_out() -> Response<Body> {
        message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
    }

    /// The body, or the event it would become, is too large.
    pub(crate) fn too_large(self) -> Response<Body> {
        match self {
            Self::HttpApi => message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
            Self::FunctionUrl => {
                let words = format!(
                    "Request must be smaller than {MAX_EVENT_BYTES} bytes for the InvokeFunction operation"
                );
                let body = json!({ "Type": "User", "message": words });
                answer(StatusCode::PAYLOAD_TOO_LARGE, body.to_string())
            }
        }
    }

    /// Request line and headers are too long.
    pub(crate) fn head_too_large() -> Response<Body> {
        message(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large")
    }

    /// The client did not send its request in time.
    pub(crate) fn too_slow() -> Response<Body> {
        message(StatusCode::REQUEST_TIMEOUT, "Request Timeout")
    }

    /// No function of that name.
    pub(crate) fn not_found() -> Response<Body> {
        message(StatusCode::NOT_FOUND, "Not Found")
    }
}

fn message(status: StatusCode, text: &str) -> Response<Body> {
    answer(status, json!({ "message": text }).to_string())
}

fn answer(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
