//! The Runtime API, `/2018-06-01`, as one sandbox's runtime sees it.
//!
//! Apart from the state it changes: this module speaks HTTP, the state knows the rules. Statuses, headers and error bodies are
//! those of Lambda's runtime API daemon. Invariant: `next` never answers 204 and never times out; real runtimes rely on both.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::json;

use super::state::{Answer, Event, Inner, RuntimePhase, State};

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

type Answered = Response<Body>;

fn accepted() -> Answered {
    (StatusCode::ACCEPTED, Json(json!({ "status": "OK" }))).into_response()
}

/// Lambda's error body, the same everywhere.
pub(super) fn refused(status: StatusCode, error_type: &str, message: &str) -> Answered {
    (status, Json(json!({ "errorMessage": message, "errorType": error_type }))).into_response()
}

async fn next(Shared(state): Shared<Arc<State>>) -> Answered {
    let again = state.change(|inner| match inner.runtime {
        // A second `next` before an answer renders the same event again, as Lambda does.
        RuntimePhase::Running => inner.current.as_ref().map(|current| Arc::clone(&current.event)),
        RuntimePhase::Started | RuntimePhase::Waiting | RuntimePhase::Answered => {
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

fn render(event: &Event) -> Answered {
    let mut built = Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", &event.request_id)
        .header("lambda-runtime-deadline-ms", event.deadline_unix_ms)
        .header("lambda-runtime-invoked-function-arn", &event.function_arn)
        .header("lambda-runtime-trace-id", &event.trace_header);
    if let Some(client_context) = &event.client_context {
        built = built.header("lambda-runtime-client-context", client_context.as_bytes());
    }
    built.body(Body::from(event.payload.clone())).unwrap_or_else(|error| {
        refused(StatusCode::INTERNAL_SERVER_ERROR, "Runtime.EventHeaders", &error.to_string())
    })
}

async fn response(Shared(state): Shared<Arc<State>>, Path(request_id): Path<String>, body: Body) -> Answered {
    match to_bytes(body, MAX_RESPONSE_BYTES).await {
        Ok(payload) => answer(&state, &request_id, Answer::Response(payload)),
        Err(_) => {
            let message = format!("Exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes).");
            let error_type = "Function.ResponseSizeTooLarge".to_owned();
            let payload = json!({ "errorMessage": message, "errorType": error_type }).to_string();
            let answer_error = Answer::Error { error_type, payload: payload.into() };
            let answered = answer(&state, &request_id, answer_error);
            if answered.status() != StatusCode::ACCEPTED {
                return answered;
            }
            refused(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message)
        }
    }
}

async fn error(
    Shared(state): Shared<Arc<State>>,
    Path(request_id): Path<String>,
    headers: HeaderMap,
    payload: Bytes,
) -> Answered {
    let error_type = error_type(&headers, "Function.Unknown");
    answer(&state, &request_id, Answer::Error { error_type, payload })
}

fn answer(state: &State, request_id: &str, answer: Answer) -> Answered {
    let now = Instant::now();
    state.change(|inner| match &mut inner.current {
        Some(current) if current.event.request_id == request_id => {
            if inner.runtime != RuntimePhase::Running {
                return wrong_state(inner.runtime, "InvocationResponse");
            }
            current.answer = Some((answer, now));
            inner.runtime = RuntimePhase::Answered;
            accepted()
        }
        _ => refused(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
    })
}

async fn init_error(Shared(state): Shared<Arc<State>>, headers: HeaderMap, payload: Bytes) -> Answered {
    let error_type = error_type(&headers, "Runtime.Unknown");
    let message = String::from_utf8_lossy(&payload).into_owned();
    let phase = state.change(|inner| inner.runtime);
    if phase != RuntimePhase::Started {
        return wrong_state(phase, "InitError");
    }
    state.end(&error_type, message);
    accepted()
}

fn wrong_state(from: RuntimePhase, to: &str) -> Answered {
    let message = format!(
        "State transition from {from:?} to {to} failed for runtime. Error: State transition is not allowed"
    );
    refused(StatusCode::FORBIDDEN, "InvalidStateTransition", &message)
}

/// The posted error type where Lambda would keep it: `Runtime.` or `Function.` and a name in letters.
fn error_type(headers: &HeaderMap, unknown: &str) -> String {
    let posted =
        headers.get("lambda-runtime-function-error-type").and_then(|value| value.to_str().ok()).unwrap_or("");
    let name = posted.strip_prefix("Runtime.").or_else(|| posted.strip_prefix("Function."));
    let known = name.is_some_and(|name| {
        name.len() > 1
            && name.starts_with(|first: char| first.is_ascii_uppercase())
            && name.bytes().all(|byte| byte.is_ascii_alphabetic())
    });
    if known { posted.to_owned() } else { unknown.to_owned() }
}
