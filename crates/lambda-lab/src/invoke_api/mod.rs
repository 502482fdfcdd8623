//! Lambda's Invoke API: `POST /2015-03-31/functions/{name}/invocations`, for the AWS CLI and SDKs with an endpoint URL.
//!
//! Apart from the HTTP API because its clients speak Lambda's own protocol: the event is the body, and a function's error is an
//! answer of status 200. Shapes: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>. Signatures are not checked: whoever
//! reaches loopback may invoke. Invariant: an event that was answered 202 is run, retried or reported as dropped.

mod answer;
mod name;
mod queue;
mod refusal;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{any, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::body;
use crate::fleet::Fleet;
use crate::http_api::{BODY_LIMIT, Fleets};
use crate::sandbox::InvocationRequest;
use name::FunctionName;
use queue::{Event, EventQueue};
use refusal::Refusal;

/// The most bytes of a synchronous event, <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
pub(crate) const MAX_EVENT_BYTES: usize = 6 * 1024 * 1024;

/// The most bytes of an asynchronous event, raised from 256 KB in October 2025:
/// <https://aws.amazon.com/blogs/compute/more-room-to-build-serverless-services-now-support-payloads-up-to-1-mb>.
const MAX_ASYNC_EVENT_BYTES: usize = 1024 * 1024;

/// The most bytes of the base64 client context.
const MAX_CLIENT_CONTEXT_BYTES: usize = 3583;

/// How long Lambda waits before the first and the second retry of an asynchronous event:
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>.
pub(crate) const ASYNC_RETRY_DELAYS: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];

#[derive(Clone)]
struct InvokeApi {
    fleets: Fleets,
    queue: EventQueue,
}

/// The API's routes, and the task that works its asynchronous events off until it is aborted.
pub(crate) fn router(fleets: Fleets, async_retry_delays: Vec<Duration>) -> (Router, JoinHandle<()>) {
    let (queue, worker) = EventQueue::start(async_retry_delays);
    let router = Router::new()
        .route("/2015-03-31/functions/{*rest}", post(invoke).fallback(unknown))
        .route("/2015-03-31/functions", any(unknown))
        .with_state(InvokeApi { fleets, queue });
    (router, worker)
}

#[derive(Deserialize)]
struct Parameters {
    #[serde(rename = "Qualifier")]
    qualifier: Option<String>,
}

async fn unknown() -> Response<Body> {
    let mut response = Refusal::unknown_operation().into_response();
    identify(&mut response, &Uuid::new_v4().to_string());
    response
}

async fn invoke(
    State(api): State<InvokeApi>,
    Path(rest): Path<String>,
    Query(parameters): Query<Parameters>,
    request: Request,
) -> Response<Body> {
    let Some(name) = rest.trim_end_matches('/').strip_suffix("/invocations") else {
        return unknown().await;
    };
    let request_id = Uuid::new_v4().to_string();
    let (parts, body) = request.into_parts();
    let call = Call { name, qualifier: parameters.qualifier.as_deref(), headers: &parts.headers };
    let answered = api.answer(&call, body, &request_id).await;
    let mut response = answered.unwrap_or_else(IntoResponse::into_response);
    identify(&mut response, &request_id);
    response
}

fn identify(response: &mut Response<Body>, request_id: &str) {
    // A uuid is always a header value.
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
}

struct Call<'a> {
    name: &'a str,
    qualifier: Option<&'a str>,
    headers: &'a HeaderMap,
}

#[derive(Clone, Copy, PartialEq)]
enum InvocationType {
    RequestResponse,
    Event,
    DryRun,
}

impl InvokeApi {
    async fn answer(&self, call: &Call<'_>, body: Body, request_id: &str) -> Result<Response<Body>, Refusal> {
        let kind = invocation_type(call.headers)?;
        let tail = log_tail_wanted(call.headers)?;
        let fleet = self.fleet(call)?;
        let payload = payload(kind, body).await?;
        let trace = fleet.trace(text(call.headers, "x-amzn-trace-id"));
        let trace_header = trace.header;
        let request = InvocationRequest {
            request_id: request_id.to_owned(),
            trace_id: trace.root,
            trace_header: trace_header.clone(),
            traced: trace.traced,
            payload,
            client_context: match kind {
                InvocationType::RequestResponse => client_context(call.headers)?,
                InvocationType::Event | InvocationType::DryRun => None,
            },
        };
        let mut response = match kind {
            InvocationType::DryRun => StatusCode::NO_CONTENT.into_response(),
            InvocationType::Event => {
                self.queue.add(Event { fleet: Arc::clone(fleet), request })?;
                StatusCode::ACCEPTED.into_response()
            }
            InvocationType::RequestResponse => {
                let (served, log) = if tail {
                    let (served, log) = fleet.invoke_with_log(request).await;
                    (served, Some(log))
                } else {
                    (fleet.invoke(request).await, None)
                };
                answer::response(served, request_id, fleet.function.timeout, log.as_deref())?
            }
        };
        if let Ok(header) = HeaderValue::from_str(&trace_header) {
            response.headers_mut().insert("x-amzn-trace-id", header);
        }
        Ok(response)
    }

    fn fleet(&self, call: &Call<'_>) -> Result<&Arc<Fleet>, Refusal> {
        let name = FunctionName::parse(call.name, call.qualifier)?;
        let known = self.fleets.get(&name.function).filter(|_| name.is_latest());
        known.ok_or_else(|| Refusal::function_not_found(&name.arn()))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn invocation_type(headers: &HeaderMap) -> Result<InvocationType, Refusal> {
    match text(headers, "x-amz-invocation-type") {
        None | Some("" | "RequestResponse") => Ok(InvocationType::RequestResponse),
        Some("Event") => Ok(InvocationType::Event),
        Some("DryRun") => Ok(InvocationType::DryRun),
        Some(other) => Err(Refusal::not_in_set(other, "invocationType", "Event, RequestResponse, DryRun")),
    }
}

fn log_tail_wanted(headers: &HeaderMap) -> Result<bool, Refusal> {
    match text(headers, "x-amz-log-type") {
        None | Some("" | "None") => Ok(false),
        Some("Tail") => Ok(true),
        Some(other) => Err(Refusal::not_in_set(other, "logType", "None, Tail")),
    }
}

/// The event; an empty body is an empty object, as on Lambda.
async fn payload(kind: InvocationType, body: Body) -> Result<Bytes, Refusal> {
    let too_large = || Refusal::too_large(MAX_EVENT_BYTES);
    let payload = match tokio::time::timeout(BODY_LIMIT, body::whole(body, MAX_EVENT_BYTES)).await {
        Ok(payload) => payload.map_err(|_| too_large())?,
        Err(_) => {
            let message = format!("The body did not arrive within {} s.", BODY_LIMIT.as_secs());
            return Err(Refusal::invalid_content(&message));
        }
    };
    if kind == InvocationType::Event && payload.len() > MAX_ASYNC_EVENT_BYTES {
        return Err(Refusal::too_large_for_event(payload.len(), MAX_ASYNC_EVENT_BYTES));
    }
    if payload.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    let not_json = |error: &dyn std::fmt::Display| {
        let message =
            format!("Could not parse request body into json: Could not parse payload into json: {error}");
        Refusal::invalid_content(&message)
    };
    // `IgnoredAny` does not look into strings, so UTF-8 is checked first.
    std::str::from_utf8(&payload).map_err(|error| not_json(&error))?;
    serde_json::from_slice::<serde::de::IgnoredAny>(&payload).map_err(|error| not_json(&error))?;
    Ok(payload)
}

/// The client context as one line of JSON, as it stands in the Runtime API's header.
fn client_context(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(header) = headers.get("x-amz-client-context") else {
        return Ok(None);
    };
    let invalid = || Refusal::invalid_content("Client context must be a valid Base64-encoded JSON object.");
    if header.len() > MAX_CLIENT_CONTEXT_BYTES {
        return Err(Refusal::invalid_content(&format!(
            "Client context must be at most {MAX_CLIENT_CONTEXT_BYTES} bytes of base64; it has {}",
            header.len()
        )));
    }
    let decoded = STANDARD.decode(header.as_bytes()).map_err(|_| invalid())?;
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&decoded).map_err(|_| invalid())?;
    serde_json::to_string(&object).map(Some).map_err(|_| invalid())
}
