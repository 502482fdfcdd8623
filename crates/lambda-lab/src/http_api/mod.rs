//! HTTP in front of the functions: an HTTP API, `http://127.0.0.1:<port>/<function>/..`, and function URLs beside it,
//! `http://127.0.0.1:<port>/function-url/<function>/..`.
//!
//! Apart from placement: this module turns HTTP into events and answers into HTTP. Invariant: every request gets an answer, within
//! 30 s from an HTTP API, and from a function URL when the function's own time-out has ended it at the latest.

mod answer;
mod event;
mod face;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response};
use axum::serve::ListenerExt;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::body;
use crate::fleet::{Fleet, Served};
use crate::invoke_api::{self, MAX_EVENT_BYTES};
use crate::sandbox::state::Answer;
use crate::sandbox::{InvocationRequest, Outcome};
use event::{Context, HttpRequest};
use face::{FUNCTION_URL_PREFIX, Face};

/// How long a client may take to send its body: an HTTP API's integration limit, since no wait is longer there.
pub(crate) const BODY_LIMIT: Duration = Duration::from_secs(30);

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

/// A request on its way to a function.
struct Target<'a> {
    face: Face,
    name: &'a str,
    /// Behind the prefix, without its first slash.
    path: &'a str,
}

impl<'a> Target<'a> {
    fn of(path: &'a str) -> Self {
        let path = path.strip_prefix('/').unwrap_or(path);
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        if first != FUNCTION_URL_PREFIX {
            return Self { face: Face::HttpApi, name: first, path: rest };
        }
        let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
        Self { face: Face::FunctionUrl, name, path }
    }
}

async fn handle(
    State(fleets): State<Fleets>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Target { face, name, path } = Target::of(parts.uri.path());
    let Some(fleet) = fleets.get(name) else {
        return Face::not_found();
    };
    if face.max_head_bytes().is_some_and(|limit| head_bytes(&parts) > limit) {
        return Face::head_too_large();
    }
    let body = match tokio::time::timeout(BODY_LIMIT, body::whole(body, face.max_body_bytes())).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return face.too_large(),
        Err(_) => return Face::too_slow(),
    };
    let trace = fleet.trace(parts.headers.get("x-amzn-trace-id").and_then(|header| header.to_str().ok()));
    let trace_header = trace.header;
    let request_id = Uuid::new_v4().to_string();
    let (id_header, context_id) = face.request_id(&request_id);
    let http_request = HttpRequest {
        method: &parts.method,
        path: &format!("/{path}"),
        query: parts.uri.query().unwrap_or(""),
        headers: &parts.headers,
        source_ip: peer.ip(),
        body: &body,
    };
    let context = Context {
        face,
        function: name,
        request_id: &context_id,
        trace_header: &trace_header,
        now: Timestamp::now(),
    };
    let mut response = match event::event(&http_request, &context) {
        Ok(payload) if payload.len() > MAX_EVENT_BYTES => face.too_large(),
        Ok(payload) => {
            let (trace_id, traced, payload) = (trace.root, trace.traced, payload.into());
            let client_context = None;
            let request =
                InvocationRequest { request_id, trace_id, trace_header, traced, payload, client_context };
            invoke(face, fleet, request).await
        }
        Err(_) => face.function_failed(),
    };
    if let Ok(id) = HeaderValue::from_str(&context_id) {
        response.headers_mut().insert(id_header, id);
    }
    response
}

/// The bytes of request line and header values.
fn head_bytes(parts: &Parts) -> usize {
    let line = parts.method.as_str().len() + parts.uri.path_and_query().map_or(0, |path| path.as_str().len());
    // Two spaces and the version.
    line + " HTTP/1.1 ".len() + parts.headers.values().map(HeaderValue::len).sum::<usize>()
}

async fn invoke(face: Face, fleet: &Arc<Fleet>, request: InvocationRequest) -> Response<Body> {
    let served = match face.integration_limit() {
        None => fleet.invoke(request).await,
        Some(limit) => match tokio::time::timeout(limit, fleet.invoke(request)).await {
            Ok(served) => served,
            Err(_) => return Face::timed_out(),
        },
    };
    match served {
        Served::Outcome(Outcome::Answered(Answer::Response(payload))) => answer::response(face, &payload),
        Served::Outcome(_) => face.function_failed(),
        Served::Throttled(reason) => face.throttled(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_tells_face_function_and_rest() {
        let of = |path: &'static str| {
            let Target { face, name, path } = Target::of(path);
            (face, name, path)
        };
        assert_eq!(of("/hello"), (Face::HttpApi, "hello", ""));
        assert_eq!(of("/hello/a/b"), (Face::HttpApi, "hello", "a/b"));
        assert_eq!(of("/hello//a"), (Face::HttpApi, "hello", "/a"));
        assert_eq!(of("//hello"), (Face::HttpApi, "", "hello"));
        assert_eq!(of("/function-url/hello"), (Face::FunctionUrl, "hello", ""));
        assert_eq!(of("/function-url/hello/a/b"), (Face::FunctionUrl, "hello", "a/b"));
        assert_eq!(of("/function-url"), (Face::FunctionUrl, "", ""));
    }
}
