//! The Runtime and Extensions API against callers that break the rules: statuses and error types as Lambda's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt;

use super::extensions_api::{self, FunctionFacts};
use super::runtime_api;
use super::state::{Answer, Current, Event, ExtensionEvent, Inner, RuntimePhase, State};

struct Api {
    state: Arc<State>,
    router: Router,
}

impl Api {
    fn new(launched: &[&str]) -> Self {
        let state = Arc::new(State::new(launched.iter().map(|&name| name.to_owned()).collect()));
        let facts = FunctionFacts { name: "f".to_owned(), handler: "bootstrap".to_owned() };
        let router =
            runtime_api::router(Arc::clone(&state)).merge(extensions_api::router(Arc::clone(&state), facts));
        Self { state, router }
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn post(&self, path: &str, body: impl Into<Body>) -> (u16, String) {
        let (status, body) = self.send("POST", path, &[], body).await;
        (status.as_u16(), body["errorType"].as_str().unwrap_or("").to_owned())
    }

    fn hand_out(&self, request_id: &str) {
        let event = Arc::new(Event {
            request_id: request_id.to_owned(),
            trace_header: String::new(),
            function_arn: String::new(),
            deadline_unix_ms: 1,
            payload: "{}".into(),
            client_context: None,
        });
        self.state.change(|inner| {
            for extension in inner.extensions.iter_mut().filter(|extension| extension.wants_invoke) {
                extension.pending = Some(ExtensionEvent::Invoke(Arc::clone(&event)));
            }
            inner.current = Some(Current { event, answer: None });
        });
    }

    async fn next(&self) -> StatusCode {
        self.send("GET", "/2018-06-01/runtime/invocation/next", &[], "").await.0
    }
}

const RESPONSE: &str = "/2018-06-01/runtime/invocation/a/response";

#[tokio::test]
async fn an_event_is_answered_once_and_by_its_own_id() {
    let api = Api::new(&[]);
    api.hand_out("a");
    assert_eq!(api.post(RESPONSE, "1").await, (403, "InvalidStateTransition".into()), "before next");
    assert_eq!(api.next().await, 200);
    assert_eq!(api.next().await, 200, "a second next renders the same event");
    let other = "/2018-06-01/runtime/invocation/b/response";
    assert_eq!(api.post(other, "1").await, (400, "InvalidRequestID".into()));
    assert_eq!(api.post(RESPONSE, "1").await, (202, String::new()));
    assert_eq!(api.post(RESPONSE, "2").await, (403, "InvalidStateTransition".into()), "twice");
    let answer = api.state.change(|inner| inner.current.as_ref().unwrap().answer.clone().unwrap().answer);
    assert!(matches!(answer, Answer::Response(payload) if payload == "1"));
}

#[tokio::test]
async fn next_blocks_until_there_is_an_event() {
    let api = Api::new(&[]);
    let waited = tokio::time::timeout(Duration::from_millis(50), api.next()).await;
    assert!(waited.is_err(), "next never answers without an event");
    api.hand_out("a");
    assert_eq!(api.next().await, 200);
}

#[tokio::test]
async fn error_types_are_kept_only_in_lambdas_own_spelling() {
    for (posted, kept) in [
        ("Runtime.Custom", "Runtime.Custom"),
        ("Function.HandlerPanic", "Function.HandlerPanic"),
        ("unhandled", "Runtime.Unknown"),
        ("Function.no", "Function.Unknown"),
        ("Function.", "Function.Unknown"),
    ] {
        let api = Api::new(&[]);
        api.hand_out("a");
        api.next().await;
        let headers = [("lambda-runtime-function-error-type", posted)];
        let (status, _) = api.send("POST", "/2018-06-01/runtime/invocation/a/error", &headers, "{}").await;
        assert_eq!(status, 202);
        let answer = api.state.change(|inner| inner.current.as_ref().unwrap().answer.clone().unwrap().answer);
        assert!(
            matches!(&answer, Answer::Error { error_type, .. } if error_type == kept),
            "{posted}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_over_six_mebibytes_is_refused_and_ends_the_invocation() {
    let api = Api::new(&[]);
    api.hand_out("a");
    api.next().await;
    assert_eq!(api.post(RESPONSE, vec![b' '; 6_291_557]).await, (413, "RequestEntityTooLarge".into()));
    let phase = api.state.change(|inner| inner.runtime);
    assert_eq!(phase, RuntimePhase::Answered);
}

#[tokio::test]
async fn init_errors_are_taken_before_the_first_next_only() {
    let api = Api::new(&[]);
    assert_eq!(api.post("/2018-06-01/runtime/init/error", "{}").await, (202, String::new()));
    assert!(api.state.change(|inner| inner.ended.is_some()));
    let api = Api::new(&[]);
    api.hand_out("a");
    api.next().await;
    assert_eq!(
        api.post("/2018-06-01/runtime/init/error", "{}").await,
        (403, "InvalidStateTransition".into())
    );
}

async fn register(api: &Api, name: &str, events: &str) -> (u16, String) {
    let body = format!("{{\"events\":{events}}}");
    let headers = [("lambda-extension-name", name)];
    let (status, body) = api.send("POST", "/2020-01-01/extension/register", &headers, body).await;
    (status.as_u16(), body["errorType"].as_str().unwrap_or("").to_owned())
}

#[tokio::test]
async fn registration_keeps_lambdas_rules() {
    let api = Api::new(&["external"]);
    assert_eq!(register(&api, "external", "[\"INVOKE\",\"SHUTDOWN\"]").await, (200, String::new()));
    assert_eq!(register(&api, "", "[]").await, (403, "Extension.InvalidExtensionName".into()));
    assert_eq!(register(&api, "x", "[\"OTHER\"]").await, (403, "Extension.InvalidEventType".into()));
    assert_eq!(register(&api, "x", "1").await, (403, "InvalidRequestFormat".into()));
    let internal = register(&api, "internal", "[\"SHUTDOWN\"]").await;
    assert_eq!(internal, (403, "Extension.InvalidEventType".into()), "internal extensions get no SHUTDOWN");
    for number in 0..9 {
        assert_eq!(register(&api, &format!("internal-{number}"), "[]").await.0, 200);
    }
    assert_eq!(register(&api, "eleventh", "[]").await, (403, "Extension.TooManyExtensions".into()));
    api.state.change(|inner| inner.initialized = true);
    assert_eq!(register(&api, "late", "[]").await, (403, "Extension.RegistrationClosed".into()));
}

#[tokio::test]
async fn event_next_wants_a_known_identifier() {
    let api = Api::new(&[]);
    let path = "/2020-01-01/extension/event/next";
    for (headers, expected) in [
        (vec![], "Extension.MissingExtensionIdentifier"),
        (vec![("lambda-extension-identifier", "x")], "Extension.InvalidExtensionIdentifier"),
        (
            vec![("lambda-extension-identifier", "d2a4f0b2-9b0c-4a1e-8a53-5b1f0a4c7d11")],
            "Extension.UnknownExtensionIdentifier",
        ),
    ] {
        let (status, body) = api.send("GET", path, &headers, "").await;
        assert_eq!((status.as_u16(), &body["errorType"]), (403, &expected.into()));
    }
}

#[tokio::test]
async fn the_sandbox_is_ready_when_runtime_and_every_launched_extension_wait() {
    let api = Api::new(&["external"]);
    let next = api.next();
    tokio::pin!(next);
    assert!(tokio::time::timeout(Duration::from_millis(20), &mut next).await.is_err());
    assert_eq!(api.state.look(Inner::ready_since), None, "the extension has not registered");
    register(&api, "external", "[\"INVOKE\"]").await;
    assert_eq!(api.state.look(Inner::ready_since), None, "the extension does not wait yet");
    let asked = Instant::now();
    api.state.change(|inner| inner.extensions[0].asked = Some(asked));
    assert_eq!(api.state.look(Inner::ready_since), Some(asked), "since the last of them waits");
    api.hand_out("a");
    assert_eq!(api.state.look(Inner::quiet_since), None, "the extension has not taken its event");
}
