//! The HTTP API in front of the functions: `http://127.0.0.1:<port>/<function>/..`.
//!
//! Apart from placement: this module turns HTTP into events and answers into HTTP. Invariant: every request gets an answer within
//! the HTTP API's own limit of 30 s, whatever the function does.

mod answer;
mod event;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::fleet::{Fleet, Served};
use crate::invoke_api;
use crate::sandbox::state::Answer;
use crate::sandbox::{InvocationRequest, Outcome};
use crate::trace::TraceContext;
use event::HttpRequest;

/// The HTTP API's integration time-out.
const INTEGRATION_LIMIT: Duration = Duration::from_secs(30);

/// The HTTP API's payload quota, 10 MB.
const MAX_REQUEST_BYTES: usize = 10 * 1024 * 1024;

/// The functions by name.
pub(crate) type Fleets = Arc<BTreeMap<String, Arc<Fleet>>>;

/// Serves `fleets` on `listener` until the tasks are aborted: this API, and beside it Lambda's own Invoke API.
pub(crate) fn serve(
    listener: TcpListener,
    fleets: Fleets,
    async_retry_delays: Vec<Duration>,
) -> [JoinHandle<()>; 2] {
    let (invoke_api, events) = invoke_api::router(Arc::clone(&fleets), async_retry_delays);
    let router = Router::new().fallback(handle).with_state(fleets).merge(invoke_api);
    let front = tokio::spawn(async move {
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        if let Err(error) = axum::serve(listener, service).await {
            eprintln!("lambda-lab: the HTTP API failed: {error}");
        }
    });
    [front, events]
}

async fn handle(
    State(fleets): State<Fleets>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().trim_start_matches('/');
    let (name, rest) = path.split_once('/').unwrap_or((path, ""));
    let Some(fleet) = fleets.get(name) else {
        return answer::not_found();
    };
    let Ok(body) = to_bytes(body, MAX_REQUEST_BYTES).await else {
        let mut refused = Response::new(Body::from("{\"message\":\"Request Entity Too Large\"}"));
        *refused.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return refused;
    };
    let trace = TraceContext::from_header(
        parts.headers.get("x-amzn-trace-id").and_then(|header| header.to_str().ok()),
    );
    let trace_header = trace.header();
    let api_request_id = Uuid::new_v4().simple().to_string();
    let path = format!("/{rest}");
    let http_request = HttpRequest {
        method: &parts.method,
        path: &path,
        query: parts.uri.query().unwrap_or(""),
        headers: &parts.headers,
        source_ip: peer.ip(),
        body: &body,
    };
    let event = event::event(&http_request, &api_request_id, &trace_header, jiff::Timestamp::now());
    let mut response = match event {
        Ok(payload) => invoke(fleet, trace.root, trace_header, payload.into()).await,
        Err(_) => answer::internal_server_error(),
    };
    if let Ok(id) = HeaderValue::from_str(&api_request_id) {
        response.headers_mut().insert("apigw-requestid", id);
    }
    response
}

async fn invoke(
    fleet: &Arc<Fleet>,
    trace_id: String,
    trace_header: String,
    payload: Bytes,
) -> Response<Body> {
    let request_id = Uuid::new_v4().to_string();
    let request = InvocationRequest { request_id, trace_id, trace_header, payload, client_context: None };
    match tokio::time::timeout(INTEGRATION_LIMIT, fleet.invoke(request)).await {
        Ok(Served::Outcome(Outcome::Answered(Answer::Response(payload)))) => answer::response(&payload),
        Ok(Served::Outcome(_)) => answer::internal_server_error(),
        Ok(Served::Throttled(_)) | Err(_) => answer::service_unavailable(),
    }
}
