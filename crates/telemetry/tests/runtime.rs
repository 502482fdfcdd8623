//! A whole function under `lambda_runtime`, before a Runtime API and a daemon that are this test's own.
//!
//! The child is this test program again, told to run the one ignored test below, which is what a function's `main` would be.

// Helpers of a test may stop it where they stand.
#![allow(clippy::expect_used)]

mod runtime_api;

use std::collections::HashMap;
use std::net::UdpSocket;

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use runtime_api::{Exchange, RuntimeApi};
use serde_json::Value;
use telemetry::InStep;

const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";

#[tokio::test]
#[ignore = "the child of the tests below"]
async fn child() {
    let telemetry = &telemetry::start();
    telemetry::step!("configure").in_scope(|| ());
    let handler = service_fn(|event: LambdaEvent<Value>| {
        telemetry.invocation(&event.context, async move {
            match event.payload["ask"].as_str() {
                Some("work") => {
                    let rows =
                        async { Ok::<_, std::fmt::Error>(32) }.in_step(telemetry::step!("db.query")).await?;
                    Ok::<_, Error>(rows)
                }
                _ => {
                    let result = async { Err(std::fmt::Error) }.in_step(telemetry::step!("db.query")).await;
                    Ok(result.inspect_err(|error| tracing::error!(%error, "request failed"))?)
                }
            }
        })
    });
    let runtime = Runtime::new(handler).layer(telemetry.after_response());
    runtime.run().await.expect_err("ends when the Runtime API does");
}

/// Answers a function's requests: gives it `events` (trace header and payload) one after the other, and tells what there is in
/// `daemon` whenever it asks for the next one, and while it waits for its response to be taken.
fn serve(events: &[(&str, &str)]) -> Vec<(&'static str, Vec<Value>)> {
    let daemon = UdpSocket::bind("127.0.0.1:0").expect("a port");
    daemon.set_nonblocking(true).expect("non-blocking");
    let mut api = RuntimeApi::start();
    let address = daemon.local_addr().expect("an address").to_string();
    let mut function = api.start_child(&[("AWS_XRAY_DAEMON_ADDRESS", &address)]);
    let mut seen = Vec::new();
    let mut events = events.iter();
    loop {
        let exchange = api.next_exchange();
        let moment = if matches!(exchange, Exchange::Next(_)) { "next" } else { "response" };
        seen.push((moment, documents(&daemon)));
        match exchange {
            Exchange::Next(answer) => match events.next() {
                Some((header, payload)) => answer.event(header, payload),
                None => break,
            },
            Exchange::Result(answer) => answer.accepted(),
        }
    }
    function.end();
    seen
}

fn documents(daemon: &UdpSocket) -> Vec<Value> {
    let mut buffer = [0; 65_536];
    let received =
        std::iter::from_fn(|| daemon.recv(&mut buffer).ok().map(|length| buffer[..length].to_vec()));
    let documents = received.map(|datagram| {
        let text = String::from_utf8(datagram).expect("UTF-8");
        let (header, document) = text.split_once('\n').expect("a header");
        assert_eq!(header, r#"{"format": "json", "version": 1}"#);
        serde_json::from_str(document).expect("JSON")
    });
    documents.collect()
}

fn names(documents: &[Value]) -> Vec<&str> {
    documents.iter().filter_map(|document| document["name"].as_str()).collect()
}

#[test]
fn documents_leave_after_the_response_and_before_the_next_event() {
    let header =
        |parent: &str, sampled: u8| format!("Root={ROOT};Parent={parent};Sampled={sampled};Lineage=1:ab:0");
    let (first, second) = (header("53995c3f42cd8ad8", 1), header("aaaaaaaaaaaaaaaa", 1));
    let unsampled = header("bbbbbbbbbbbbbbbb", 0);
    let work = r#"{"ask":"work"}"#;
    let seen = serve(&[(&unsampled, work), (&first, work), ("", work), (&second, r#"{"ask":"failure"}"#)]);
    let moments: Vec<_> = seen.iter().map(|(moment, documents)| (*moment, names(documents))).collect();
    let none = Vec::<&str>::new();
    assert_eq!(
        moments,
        [
            ("next", none.clone()),
            ("response", none.clone()),
            ("next", none.clone()), // not sampled
            ("response", none.clone()),
            ("next", vec!["configure", "## init", "db.query", "## handler"]),
            ("response", none.clone()),
            ("next", none.clone()), // no header
            ("response", none.clone()),
            ("next", vec!["db.query", "## handler"]),
        ]
    );
    let failed: HashMap<_, _> =
        seen[8].1.iter().map(|document| (document["name"].as_str().unwrap_or(""), document)).collect();
    assert_eq!(failed["## handler"]["parent_id"], "aaaaaaaaaaaaaaaa");
    assert_eq!(failed["## handler"]["annotations"]["ColdStart"], false);
    assert_eq!(failed["db.query"]["parent_id"], failed["## handler"]["id"]);
    for document in failed.values() {
        assert!(document["fault"] == true && document["cause"]["exceptions"][0]["message"].is_string());
    }
}
