//! The real program: started as Lambda starts it, led by an Extensions API of the test, reading over HTTPS.
// Helpers of a test may stop it where they stand.
#![allow(clippy::expect_used)]

mod support;

use std::process::{ExitStatus, Stdio};

use http::StatusCode;
use support::extensions_api::{Api, INVOKE, SHUTDOWN};
use support::service::Service;
use support::tls::{TlsListener, authority};
use support::{LIMIT, TOKEN};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

/// The running program.
struct Program {
    child: Child,
    url: String,
}

impl Program {
    fn command(service: &Service, variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parameters-extension"));
        command.env_clear().envs(support::environment(service, variables));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    async fn start(api: &Api, service: &Service, variables: &[(&str, &str)]) -> Self {
        let mut command = Self::command(service, variables);
        let mut child = command.env("AWS_LAMBDA_RUNTIME_API", &api.address).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its stdout")).lines();
        let port = loop {
            let line = tokio::time::timeout(LIMIT, lines.next_line()).await.expect("a line in time");
            let line = line.expect("a line").expect("the line that names the port");
            if let Some((_, port)) = line.split_once("serving on port ") {
                break port.to_owned();
            }
        };
        // Its later lines must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, url: format!("http://127.0.0.1:{port}") }
    }

    async fn parameter(&self, name: &str) -> support::Answer {
        support::get(&format!("{}/systemsmanager/parameters/get?name={name}", self.url), Some(TOKEN)).await
    }

    async fn ended(&mut self) -> ExitStatus {
        tokio::time::timeout(LIMIT, self.child.wait()).await.expect("it ends").expect("its status")
    }
}

/// Runs a program that is to fail, and returns what it says.
async fn complaint(mut command: Command) -> String {
    let mut child = command.spawn().expect("it starts");
    let mut text = String::new();
    let status = tokio::time::timeout(LIMIT, child.wait()).await.expect("it ends").expect("its status");
    child.stderr.take().expect("its stderr").read_to_string(&mut text).await.expect("text");
    assert!(!status.success(), "{text}");
    text
}

#[tokio::test]
async fn it_registers_serves_from_the_first_invoke_on_and_ends_with_shutdown() {
    let (api, service) = (Api::start().await, Service::start().await);
    let mut program = Program::start(&api, &service, &[]).await;
    api.asked(1).await;
    let registered = api.registrations();
    assert_eq!(
        registered,
        [("parameters-extension".to_owned(), r#"{"events":["INVOKE","SHUTDOWN"]}"#.to_owned())]
    );

    let early = program.parameter("/a").await;
    assert_eq!(
        (early.status, early.body.as_str()),
        (StatusCode::BAD_REQUEST, "not ready to serve traffic, please wait")
    );
    assert_eq!(service.count(), 0, "nothing is asked before the function is invoked");

    api.send(INVOKE);
    api.asked(2).await;
    assert_eq!(program.parameter("/a").await.status, StatusCode::OK);
    service.hold();
    let held = tokio::spawn(support::try_get_owned(format!(
        "{}/systemsmanager/parameters/get?name=/b",
        program.url
    )));
    service.called(2).await;
    api.send(INVOKE);
    api.asked(3).await; // a request on its way holds up no event
    service.release();
    assert!(held.await.unwrap().is_some_and(|answer| answer.status == StatusCode::OK));

    service.hold();
    let _unanswered = tokio::spawn(support::try_get_owned(format!(
        "{}/systemsmanager/parameters/get?name=/c",
        program.url
    )));
    service.called(3).await;
    api.send(SHUTDOWN);
    assert!(program.ended().await.success(), "it ends at once, also with a request on its way");
}

#[tokio::test]
async fn it_reads_over_https_from_a_service_that_the_trusted_authority_vouches_for() {
    let folder = tempfile::tempdir().unwrap();
    let (trusted, other) = (folder.path().join("trusted.pem"), folder.path().join("other.pem"));
    let issuer = authority(&trusted);
    authority(&other);
    let (listener, url) = TlsListener::start(&issuer).await;
    let service = Service::start_on(listener, url);
    let (api, others_api) = (Api::start().await, Api::start().await);

    let program = Program::start(&api, &service, &[("SSL_CERT_FILE", trusted.to_str().unwrap())]).await;
    let stranger = Program::start(&others_api, &service, &[("SSL_CERT_FILE", other.to_str().unwrap())]).await;
    for api in [&api, &others_api] {
        api.send(INVOKE);
        api.asked(2).await;
    }

    assert_eq!(program.parameter("/a").await.status, StatusCode::OK);
    support::signature::verify(&service.calls()[0], "secret/key+example", "eu-central-1", "ssm");
    let refused = stranger.parameter("/a").await;
    assert_eq!(refused.status, StatusCode::BAD_GATEWAY);
    assert!(refused.body.contains("invalid peer certificate"), "{}", refused.body);
    assert_eq!(service.count(), 1);
}

#[tokio::test]
async fn it_says_what_is_missing_when_it_cannot_start() {
    let service = Service::start().await;
    let text = complaint(Program::command(&service, &[])).await;
    assert!(text.contains("AWS_LAMBDA_RUNTIME_API"), "{text}");

    let text = complaint(Program::command(&service, &[("AWS_SESSION_TOKEN", "")])).await;
    assert!(text.contains("AWS_SESSION_TOKEN"), "{text}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut command =
        Program::command(&service, &[("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", port.as_str())]);
    command.env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1");
    let text = complaint(command).await;
    assert!(text.contains(&port) && text.contains("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"), "{text}");
}
