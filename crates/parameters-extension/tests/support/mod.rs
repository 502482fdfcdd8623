//! A service on loopback that plays Systems Manager and Secrets Manager, the extension's HTTP face in front of it, and a clock
//! that the test moves. All of it speaks HTTP over real sockets.
// Helpers of a test may stop it where they stand, and no test program uses all of them.
#![allow(clippy::expect_used, dead_code)]

pub(crate) mod extensions_api;
pub(crate) mod service;
pub(crate) mod signature;
pub(crate) mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use parameters_extension::clock::Clock;
use parameters_extension::{Phase, Settings, Values, router};
use service::Service;
use tokio::net::TcpListener;

pub(crate) const TOKEN: &str = "session//token+with=signs";
/// Long enough for any machine; a test that waits this long has failed.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// The environment of an extension in front of `service`, with `variables` on top.
pub(crate) fn environment(service: &Service, variables: &[(&str, &str)]) -> Vec<(String, String)> {
    let base = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret/key+example"),
        ("AWS_SESSION_TOKEN", TOKEN),
        ("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "0"),
        ("AWS_ENDPOINT_URL", service.url.as_str()),
    ];
    // The last one of a name wins, as in a process's environment.
    base.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn settings(service: &Service, variables: &[(&str, &str)]) -> Settings {
    let environment = environment(service, variables);
    let value = |name: &str| {
        environment.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    Settings::read(value).expect("usable settings")
}

/// An extension in this process, already in the invoke phase.
pub(crate) struct Extension {
    pub(crate) url: String,
    pub(crate) phase: Phase,
    seconds: Arc<AtomicU64>,
}

/// What the extension answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Extension {
    pub(crate) async fn start(service: &Service, variables: &[(&str, &str)]) -> Self {
        let settings = settings(service, variables);
        let seconds = Arc::new(AtomicU64::new(1_800_000_000));
        let shown = Arc::clone(&seconds);
        let clock =
            Clock::new(move || SystemTime::UNIX_EPOCH + Duration::from_secs(shown.load(Ordering::SeqCst)));
        let phase = Phase::default();
        phase.serve();
        let router = router(&settings, Values::new(&settings, clock), phase.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, phase, seconds }
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn set_back(&self, seconds: u64) {
        self.seconds.fetch_sub(seconds, Ordering::SeqCst);
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        get(&format!("{}{path}", self.url), Some(TOKEN)).await
    }

    /// The parameter `name`, by its plain path.
    pub(crate) async fn parameter(&self, name: &str) -> Answer {
        self.get(&format!("/systemsmanager/parameters/get?name={name}")).await
    }
}

/// One GET on a connection of its own.
pub(crate) async fn get(url: &str, token: Option<&str>) -> Answer {
    tokio::time::timeout(LIMIT, try_get(url, token)).await.expect("an answer in time").expect("an answer")
}

pub(crate) async fn try_get(
    url: &str,
    token: Option<&str>,
) -> Result<Answer, hyper_util::client::legacy::Error> {
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let mut request = http::Request::get(url);
    if let Some(token) = token {
        request = request.header("X-Aws-Parameters-Secrets-Token", token);
    }
    let (head, body) = client.request(request.body(Empty::new()).expect("a request")).await?.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let body = String::from_utf8(body.to_vec()).expect("UTF-8");
    Ok(Answer { status: head.status, headers: head.headers, body })
}

/// The same with everything owned, for a task of its own.
pub(crate) async fn try_get_owned(url: String) -> Option<Answer> {
    try_get(&url, Some(TOKEN)).await.ok()
}
