//! The Runtime API, `/2018-06-01`, as one sandbox's runtime sees it.
//!
//! Apart from the state it changes: this module speaks HTTP, the state knows the rules. Statuses, headers and error bodies are
//! those of Lambda's runtime API daemon. Invariant: `next` never answers 204 and never times out; real runtimes rely on both.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::json;

use super::state::{Answer, Answered, Ended, Event, Inner, RuntimePhase, State};
use crate::body::{NotWhole, whole};

/// Lambda's limit for a response: 6 MiB and 100 bytes.
const MAX_RESPONSE_BYTES: usize = 6_291_556;

pub(super) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/2018-06-01/ping", get(async || "pong"))
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{request_id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{request_id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .with_state(state)
}

type Reply = Response<Body>;

fn accepted() -> Reply {
    (StatusCode::ACCEPTED, Json(json!({ "status": "OK" }))).into_response()
}

/// Lambda's error body, the same everywhere.
pub(super) fn refused(status: StatusCode, error_type: &str, message: &str) -> Reply {
    (status, Json(json!({ "errorMessage": message, "errorType": error_type }))).into_response()
}

async fn next(Shared(state): Shared<Arc<State>>) -> Reply {
    let again = state.change(|inner| match inner.runtime {
        // A second `next` before an answer renders the same event again, as Lambda does.
        RuntimePhase::Running => inner.current.as_ref().map(|current| Arc::clone(&current.event)),
        RuntimePhase::Started | RuntimePhase::Waiting | RuntimePhase::Answered => {
            if inner.runtime != RuntimePhase::Waiting {
                inner.runtime_asked = Some(Instant::now());
            }
            inner.runtime = RuntimePhase::Waiting;
            None
        }
    });
    let event = match again {
        Some(event) => event,
        None => state.wait_for(take_event).await,
    };
    render(&event)
}

fn take_event(inner: &mut Inner) -> Option<Arc<Event>> {
    let current = inner.current.as_ref().filter(|current| current.answer.is_none())?;
    if inner.runtime != RuntimePhase::Waiting {
        return None;
    }
    inner.runtime = RuntimePhase::Running;
    Some(Arc::clone(&current.event))
}

fn render(event: &Event) -> Reply {
    let mut builder = Response::builder();
    if let Some(context) = &event.client_context {
        // Its JSON may hold more than ASCII.
        builder = builder.header("lambda-runtime-client-context", context.as_bytes());
    }
    let built = builder
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", &event.request_id)
        .header("lambda-runtime-deadline-ms", event.deadline_unix_ms)
        .header("lambda-runtime-invoked-function-arn", &event.function_arn)
        .header("lambda-runtime-trace-id", &event.trace_header)
        .body(Body::from(event.payload.clone()));
    built.unwrap_or_else(|error| {
        refused(StatusCode::INTERNAL_SERVER_ERROR, "Runtime.EventHeaders", &error.to_string())
    })
}

async fn response(
    Shared(state): Shared<Arc<State>>,
    Path(request_id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let began = Instant::now();
    if let Some(mode) =
        headers.get("lambda-runtime-function-response-mode").filter(|mode| *mode != "streaming")
    {
        let message = format!("{mode:?} is no response mode; expected streaming, or no such header");
        return refused(StatusCode::BAD_REQUEST, "InvalidFunctionResponseMode", &message);
    }
    let refusal = match whole(body, MAX_RESPONSE_BYTES).await {
        Ok(payload) => return answer(&state, &request_id, Answer::Response(payload), began, None),
        Err(NotWhole::TooLong) => &TOO_LARGE,
        Err(NotWhole::CutOff) => &TRUNCATED,
    };
    let payload =
        json!({ "errorMessage": refusal.caller_words, "errorType": refusal.caller_type }).to_string();
    let kept = Answer::Error { error_type: refusal.caller_type.to_owned(), payload: payload.into() };
    let reply = answer(&state, &request_id, kept, began, None);
    if reply.status() != StatusCode::ACCEPTED {
        return reply;
    }
    refused(refusal.status, refusal.runtime_type, refusal.runtime_words)
}

/// A response that cannot be passed on, as the function's caller and as the runtime are told.
struct Unfit {
    status: StatusCode,
    caller_type: &'static str,
    caller_words: &'static str,
    runtime_type: &'static str,
    runtime_words: &'static str,
}

const TOO_LARGE: Unfit = Unfit {
    status: StatusCode::PAYLOAD_TOO_LARGE,
    caller_type: "Function.ResponseSizeTooLarge",
    caller_words: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    runtime_type: "RequestEntityTooLarge",
    runtime_words: "Exceeded maximum allowed payload size (6291556 bytes).",
};

const TRUNCATED: Unfit = Unfit {
    status: StatusCode::BAD_REQUEST,
    caller_type: "Runtime.TruncatedResponse",
    caller_words: "The response ended before its announced length.",
    runtime_type: "TruncatedHTTPRequest",
    runtime_words: "HTTP request detected as truncated",
};

async fn error(
    Shared(state): Shared<Arc<State>>,
    Path(request_id): Path<String>,
    headers: HeaderMap,
    payload: Bytes,
) -> Reply {
    let error_type = error_type(&headers);
    let xray_cause = headers.get("lambda-runtime-function-xray-error-cause").cloned();
    answer(&state, &request_id, Answer::Error { error_type, payload }, Instant::now(), xray_cause)
}

fn answer(
    state: &State,
    request_id: &str,
    answer: Answer,
    began: Instant,
    xray_cause: Option<HeaderValue>,
) -> Reply {
    let complete = Instant::now();
    state.change(|inner| match &mut inner.current {
        Some(current) if current.event.request_id == request_id => {
            if inner.runtime != RuntimePhase::Running {
                return wrong_state(inner.runtime, "InvocationResponse");
            }
            current.answer = Some(Answered { answer, began, complete, xray_cause });
            inner.runtime = RuntimePhase::Answered;
            accepted()
        }
        _ => refused(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
    })
}

async fn init_error(Shared(state): Shared<Arc<State>>, headers: HeaderMap, payload: Bytes) -> Reply {
    let error_type = error_type(&headers);
    let message = String::from_utf8_lossy(&payload).into_owned();
    let phase = state.change(|inner| inner.runtime);
    if phase != RuntimePhase::Started {
        return wrong_state(phase, "InitError");
    }
    state.end(Ended { error_type, message, payload: Some(payload) });
    accepted()
}

fn wrong_state(from: RuntimePhase, to: &str) -> Reply {
    let message = format!(
        "State transition from {from:?} to {to} failed for runtime. Error: State transition is not allowed"
    );
    refused(StatusCode::FORBIDDEN, "InvalidStateTransition", &message)
}

/// The posted error type where Lambda would keep it: `Runtime.` or `Function.` and a name in letters. What claims to be the
/// function's becomes `Function.Unknown`, anything else `Runtime.Unknown`.
fn error_type(headers: &HeaderMap) -> String {
    let posted =
        headers.get("lambda-runtime-function-error-type").and_then(|value| value.to_str().ok()).unwrap_or("");
    let name = posted.strip_prefix("Runtime.").or_else(|| posted.strip_prefix("Function."));
    let known = name.is_some_and(|name| {
        name.len() > 1
            && name.starts_with(|first: char| first.is_ascii_uppercase())
            && name.bytes().all(|byte| byte.is_ascii_alphabetic())
    });
    if known {
        return posted.to_owned();
    }
    let unknown = if posted.starts_with("Function.") { "Function.Unknown" } else { "Runtime.Unknown" };
    unknown.to_owned()
}
