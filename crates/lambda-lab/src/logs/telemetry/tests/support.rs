//! A subscriber's server, and a sandbox's log that emits what a sandbox would.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::routing::any;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::logs::{
    EventStatus, FunctionLog, Initialization, LogFormat, LogSettings, Phase, PlatformEvent, Report,
    SandboxFacts, SandboxLog, Source,
};

pub(super) const EXTENSION: Uuid = Uuid::from_u128(7);
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A subscriber's server: every body it gets, and the answers it gives (200 when none is left).
pub(super) struct Sink {
    pub(super) port: u16,
    pub(super) bodies: mpsc::UnboundedReceiver<String>,
    pub(super) answers: Arc<Mutex<VecDeque<StatusCode>>>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.server.abort();
    }
}

pub(super) async fn sink(answers: &[u16]) -> Sink {
    let answers = answers.iter().map(|status| StatusCode::from_u16(*status).unwrap());
    let answers = Arc::new(Mutex::new(answers.collect::<VecDeque<_>>()));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, bodies) = mpsc::unbounded_channel();
    let next = Arc::clone(&answers);
    let router = Router::new().fallback(any(move |request: Request<Body>| async move {
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.headers()["content-type"], "application/json");
        let path = request.uri().path().to_owned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        sender.send(format!("{path} {}", String::from_utf8(body.to_vec()).unwrap())).unwrap();
        let answer = next.lock().unwrap().pop_front();
        answer.unwrap_or(StatusCode::OK)
    }));
    let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Sink { port, bodies, answers, server }
}

impl Sink {
    /// The next body, which was sent to `/telemetry`.
    pub(super) async fn body(&mut self) -> String {
        let body = tokio::time::timeout(PATIENCE, self.bodies.recv()).await.unwrap().unwrap();
        body.strip_prefix("/telemetry ").unwrap().to_owned()
    }

    /// The next events, until there are `count`.
    pub(super) async fn events(&mut self, count: usize) -> Vec<Value> {
        let mut events = Vec::new();
        while events.len() < count {
            events.extend(serde_json::from_str::<Vec<Value>>(&self.body().await).unwrap());
        }
        events
    }

    pub(super) fn subscription(&self, types: &[&str], timeout_ms: u64) -> Value {
        json!({
            "schemaVersion": "2022-12-13",
            "types": types,
            "buffering": { "maxItems": 1000, "maxBytes": 262_144, "timeoutMs": timeout_ms },
            "destination": {
                "protocol": "HTTP",
                "URI": format!("http://sandbox.localdomain:{}/telemetry", self.port),
            },
        })
    }
}

pub(super) fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

pub(super) struct Sandbox {
    pub(super) log: Arc<SandboxLog>,
    _dir: tempfile::TempDir,
}

pub(super) fn sandbox(format: LogFormat) -> Sandbox {
    let dir = tempfile::tempdir().unwrap();
    let settings = LogSettings { format, ..LogSettings::default() };
    let log = FunctionLog::open("hello", &dir.path().join("hello.log"), settings).unwrap();
    let log = SandboxLog::new(log, SandboxFacts::new("hello", "s", 128, "us-east-1"));
    Sandbox { log, _dir: dir }
}

impl Sandbox {
    pub(super) async fn put(&self, path: &str, id: Option<&str>, body: &str) -> (StatusCode, Value) {
        let known = |id| (id == EXTENSION).then(|| "my-extension".to_owned());
        let mut request = Request::put(path);
        if let Some(id) = id {
            request = request.header("Lambda-Extension-Identifier", id);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let answer = self.log.telemetry_router(known).oneshot(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    pub(super) async fn subscribe(&self, subscription: &Value) {
        let id = EXTENSION.to_string();
        let answer = self.put("/2022-07-01/telemetry", Some(&id), &subscription.to_string()).await;
        assert_eq!(answer, (StatusCode::OK, json!("OK")));
    }

    pub(super) fn begin_init(&self) {
        self.log
            .emit(PlatformEvent::InitStart { initialization: Initialization::OnDemand, phase: Phase::Init });
    }

    pub(super) fn end_init(&self) {
        let (initialization, phase) = (Initialization::OnDemand, Phase::Init);
        let (status, duration) = (EventStatus::Success, Duration::from_micros(173_778));
        self.log.emit(PlatformEvent::InitRuntimeDone { initialization, phase, status, error_type: None });
        self.log.emit(PlatformEvent::Extension {
            name: "my-extension".into(),
            state: "Ready",
            events: vec!["INVOKE".into(), "SHUTDOWN".into()],
            error_type: None,
        });
        self.log.emit(PlatformEvent::InitReport {
            initialization,
            phase,
            status,
            error_type: None,
            duration,
        });
        self.log.init_over();
    }

    pub(super) fn start(&self, request_id: &str) {
        let trace_header =
            "Root=1-62e900b2-710d76f009d6e7785905449a;Parent=0efbd19962d95b05;Sampled=1".into();
        self.log.emit(PlatformEvent::Start { request_id: request_id.into(), trace_header });
    }

    pub(super) fn end(&self, request_id: &str) {
        let trace_header =
            "Root=1-62e900b2-710d76f009d6e7785905449a;Parent=0efbd19962d95b05;Sampled=1".to_owned();
        self.log.emit(PlatformEvent::RuntimeDone {
            request_id: request_id.into(),
            trace_header: trace_header.clone(),
            status: EventStatus::Success,
            error_type: None,
            duration: Duration::from_micros(11_185),
            response_latency: Some(Duration::from_micros(2_215)),
            response_duration: Some(Duration::from_micros(56)),
            produced_bytes: Some(40),
        });
        self.log.emit(PlatformEvent::Report(Box::new(Report {
            request_id: request_id.into(),
            trace_header,
            status: EventStatus::Success,
            error_type: None,
            duration: Duration::from_micros(11_642),
            billed_ms: 186,
            memory_mb: 128,
            max_memory_mb: Some(66.2),
            init_duration: Some(Duration::from_micros(174_055)),
            xray: None,
        })));
    }

    pub(super) fn print(&self, source: Source, text: &str) {
        let (stdout, stderr) = self.log.output(source).unwrap();
        let mut echo = std::process::Command::new("echo");
        assert!(echo.arg(text).stdout(stdout).stderr(stderr).status().unwrap().success());
        drop(echo);
        self.log.drain();
    }
}
