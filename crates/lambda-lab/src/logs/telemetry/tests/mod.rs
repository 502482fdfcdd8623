//! Subscriptions over HTTP, and deliveries to a real server, read with the `lambda-extension` crate's own types.

mod support;

use std::time::Duration;

use axum::http::StatusCode;
use lambda_extension::{LambdaTelemetry, LambdaTelemetryRecord as Record};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::logs::{Initialization, LogFormat, Phase, PlatformEvent, Source};
use support::{EXTENSION, PATIENCE, sandbox, sink, types};

#[tokio::test]
async fn a_late_subscriber_gets_all_of_a_cold_invocation_in_order_and_aws_own_types_read_it() {
    let mut sink = sink(&[]).await;
    let sandbox = sandbox(LogFormat::Text);
    sandbox.begin_init();
    sandbox.print(Source::Function, "static init");
    sandbox.subscribe(&sink.subscription(&["platform", "function", "extension"], 25)).await;
    sandbox.end_init();
    sandbox.start("one");
    sandbox.print(Source::Function, "hello");
    sandbox.print(Source::Extension("my-extension".into()), "from beside");
    sandbox.end("one");
    let events = sink.events(11).await;
    let expected = [
        "platform.initStart",
        "function",
        "platform.telemetrySubscription",
        "platform.initRuntimeDone",
        "platform.extension",
        "platform.initReport",
        "platform.start",
        "function",
        "extension",
        "platform.runtimeDone",
        "platform.report",
    ];
    assert_eq!(types(&events), expected);
    let read: Vec<LambdaTelemetry> = serde_json::from_value(Value::Array(events.clone())).unwrap();
    assert!(read.is_sorted_by_key(|event| event.time));
    assert_eq!(read[1].record, Record::Function("static init".into()));
    let types = vec!["platform".into(), "function".into(), "extension".into()];
    let name = "my-extension".to_owned();
    let subscribed = Record::PlatformTelemetrySubscription { name, state: "Subscribed".into(), types };
    assert_eq!(read[2].record, subscribed);
    assert_eq!(read[8].record, Record::Extension("from beside".into()));
    let Record::PlatformRuntimeDone { spans, metrics: Some(metrics), tracing: Some(tracing), .. } =
        &read[9].record
    else {
        panic!("{:?}", read[9]);
    };
    let named: Vec<_> = spans.iter().map(|span| (span.name.as_str(), span.duration_ms)).collect();
    assert_eq!(named, [("responseLatency", 2.215), ("responseDuration", 0.056), ("runtimeOverhead", 8.914)]);
    assert_eq!(spans[0].start, read[6].time);
    assert_eq!((metrics.duration_ms, metrics.produced_bytes), (11.185, Some(40)));
    assert!(tracing.value.ends_with("Sampled=1"));
    let Record::PlatformReport { request_id, metrics, spans, .. } = &read[10].record else {
        panic!("{:?}", read[10]);
    };
    assert_eq!(request_id, "one");
    assert_eq!((metrics.duration_ms, metrics.billed_duration_ms), (11.642, 186));
    assert_eq!((metrics.memory_size_mb, metrics.max_memory_used_mb), (128, 67));
    assert_eq!(metrics.init_duration_ms, Some(174.055));
    assert_eq!((spans[0].name.as_str(), spans[0].duration_ms), ("extensionOverhead", 0.457));
    assert_eq!(events[0]["record"]["instanceMaxMemory"], 128 << 20);
}

#[tokio::test]
async fn only_the_types_asked_for_are_sent() {
    let mut sink = sink(&[]).await;
    let sandbox = sandbox(LogFormat::Text);
    sandbox.begin_init();
    sandbox.subscribe(&sink.subscription(&["function"], 25)).await;
    sandbox.end_init();
    sandbox.start("one");
    sandbox.print(Source::Extension("x".into()), "not this");
    sandbox.print(Source::Function, "this");
    sandbox.end("one");
    let object = r#"{"a":"string in a text log"}"#;
    sandbox.print(Source::Function, object);
    let events = sink.events(2).await;
    assert_eq!(events.iter().map(|event| &event["record"]).collect::<Vec<_>>(), ["this", object]);
}

#[tokio::test]
async fn in_json_format_a_line_that_is_an_object_is_sent_as_one_whatever_its_level() {
    let mut sink = sink(&[]).await;
    let sandbox = sandbox(LogFormat::Json);
    sandbox.subscribe(&sink.subscription(&["function"], 25)).await;
    sandbox.print(Source::Function, r#" {"z":1,"level":"TRACE","timestamp":"2026-01-01T00:00:00Z"} "#);
    sandbox.print(Source::Function, "{not json}");
    let mut bodies = String::new();
    while !bodies.contains("not json") {
        bodies += &sink.body().await;
    }
    let object = r#""type":"function","record":{"z":1,"level":"TRACE","timestamp":"2026-01-01T00:00:00Z"}}"#;
    assert!(bodies.contains(object), "{bodies}");
    assert!(bodies.contains(r#""record":"{not json}"}"#), "{bodies}");
}

#[tokio::test]
async fn nothing_is_sent_to_a_frozen_sandbox_and_what_waited_arrives_after_the_thaw() {
    let mut sink = sink(&[]).await;
    let sandbox = sandbox(LogFormat::Text);
    sandbox.subscribe(&sink.subscription(&["platform"], 25)).await;
    sink.events(1).await;
    sandbox.log.frozen();
    sandbox.start("one");
    sandbox.end("one");
    // Many times the 25 ms after which it would have been sent.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(sink.bodies.try_recv().is_err());
    sandbox.log.thawed();
    let events = sink.events(3).await;
    assert_eq!(types(&events), ["platform.start", "platform.runtimeDone", "platform.report"]);
}

#[tokio::test]
async fn a_subscriber_that_fails_for_a_while_gets_every_event_once_in_order() {
    let mut sink = sink(&[500, 503]).await;
    let sandbox = sandbox(LogFormat::Text);
    sandbox.subscribe(&sink.subscription(&["function"], 25)).await;
    sandbox.print(Source::Function, "one");
    let first = sink.body().await;
    sandbox.print(Source::Function, "two");
    assert_eq!(sink.body().await, first);
    assert_eq!(sink.body().await, first);
    assert!(first.contains("one") && !first.contains("two"), "{first}");
    let events = sink.events(1).await;
    assert_eq!(events[0]["record"], "two");
    assert!(sink.answers.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_batch_is_not_tried_again_while_the_sandbox_is_frozen() {
    let mut sink = sink(&[500]).await;
    let sandbox = sandbox(LogFormat::Text);
    sandbox.subscribe(&sink.subscription(&["function"], 25)).await;
    sandbox.print(Source::Function, "one");
    let first = sink.body().await;
    sandbox.log.frozen();
    // Several times what is waited before a second attempt.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(sink.bodies.try_recv().is_err());
    sandbox.log.thawed();
    assert_eq!(sink.body().await, first);
}

#[tokio::test]
async fn a_batch_that_is_refused_is_not_sent_again_but_counted() {
    let mut sink = sink(&[400]).await;
    let sandbox = sandbox(LogFormat::Text);
    sandbox.subscribe(&sink.subscription(&["function"], 25)).await;
    sandbox.print(Source::Function, "lost");
    let lost = sink.body().await;
    sandbox.print(Source::Function, "found");
    let events = sink.events(2).await;
    let dropped = events.iter().find(|event| event["type"] == "platform.logsDropped").unwrap();
    assert_eq!(dropped["record"]["droppedRecords"], 1);
    assert_eq!(dropped["record"]["droppedBytes"], lost.len());
    serde_json::from_value::<LambdaTelemetry>(dropped.clone()).unwrap();
    assert!(events.iter().any(|event| event["record"] == "found"));
}

#[tokio::test]
async fn an_extension_that_listens_after_it_subscribed_misses_nothing() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut sink = sink(&[]).await;
    let sandbox = sandbox(LogFormat::Text);
    let mut subscription = sink.subscription(&["function"], 25);
    subscription["destination"]["URI"] = json!(format!("http://sandbox.localdomain:{port}/telemetry"));
    sandbox.subscribe(&subscription).await;
    sandbox.print(Source::Function, "one");
    tokio::time::sleep(Duration::from_millis(100)).await;
    // Its second subscription, at the port where it listens, is what its first was for.
    sandbox.subscribe(&sink.subscription(&["function"], 25)).await;
    let events = sink.events(1).await;
    assert_eq!(events[0]["record"], "one");
}

#[tokio::test]
async fn a_flush_sends_what_still_waits_for_company() {
    let mut sink = sink(&[]).await;
    let sandbox = sandbox(LogFormat::Text);
    sandbox.subscribe(&sink.subscription(&["function"], 30_000)).await;
    for number in 0..2500 {
        sandbox
            .log
            .emit(PlatformEvent::Start { request_id: number.to_string(), trace_header: String::new() });
    }
    sandbox.print(Source::Function, "last words");
    sandbox.log.flush(PATIENCE).await;
    let body = sink.bodies.try_recv().unwrap();
    assert!(body.contains("last words"), "{body}");
}

#[tokio::test]
async fn a_flush_to_a_subscriber_that_never_answers_ends() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mut subscription = sink(&[]).await.subscription(&["function"], 25);
    let port = listener.local_addr().unwrap().port();
    subscription["destination"]["URI"] = json!(format!("http://127.0.0.1:{port}/"));
    let sandbox = sandbox(LogFormat::Text);
    sandbox.subscribe(&subscription).await;
    sandbox.print(Source::Function, "nobody reads this");
    let flushed = tokio::time::timeout(PATIENCE, sandbox.log.flush(Duration::from_millis(200)));
    assert!(flushed.await.is_ok());
}

#[tokio::test]
async fn after_init_subscriptions_are_closed_until_it_begins_again() {
    let mut sink = sink(&[]).await;
    let sandbox = sandbox(LogFormat::Text);
    sandbox.begin_init();
    let subscription = sink.subscription(&["platform"], 25);
    sandbox.subscribe(&subscription).await;
    sandbox.end_init();
    let id = EXTENSION.to_string();
    let (status, body) = sandbox.put("/2022-07-01/telemetry", Some(&id), &subscription.to_string()).await;
    assert_eq!(
        (status, body["errorType"].as_str()),
        (StatusCode::FORBIDDEN, Some("Telemetry.SubscriptionClosed"))
    );
    let initialization = Initialization::OnDemand;
    sandbox.log.emit(PlatformEvent::InitStart { initialization, phase: Phase::Invoke });
    sandbox.subscribe(&subscription).await;
    let events = sink.events(7).await;
    assert_eq!(events[5]["record"]["phase"], "invoke");
    assert_eq!(events[6]["record"]["state"], "Already subscribed");
}

#[tokio::test]
async fn a_wrong_call_is_refused_in_lambdas_words() {
    let sandbox = sandbox(LogFormat::Text);
    let known = EXTENSION.to_string();
    let stranger = Uuid::from_u128(8).to_string();
    let good = sink(&[]).await.subscription(&["platform"], 25).to_string();
    let tcp =
        r#"{"schemaVersion":"2022-12-13","types":["platform"],"destination":{"protocol":"TCP","port":8080}}"#;
    let telemetry = "/2022-07-01/telemetry";
    let table = [
        (telemetry, None, good.as_str(), 403, "Extension.MissingExtensionIdentifier"),
        (telemetry, Some("seven"), &good, 403, "Extension.InvalidExtensionIdentifier"),
        (telemetry, Some(&stranger), &good, 403, "Extension.UnknownExtensionIdentifier"),
        (telemetry, Some(&known), "{}", 400, "ValidationError"),
        (telemetry, Some(&known), tcp, 400, "ValidationError"),
        ("/2020-08-15/logs", Some(&known), &good, 202, "Logs.NotSupported"),
    ];
    for (path, id, body, status, error_type) in table {
        let (found_status, found) = sandbox.put(path, id, body).await;
        assert_eq!(
            (found_status.as_u16(), found["errorType"].as_str()),
            (status, Some(error_type)),
            "{found}"
        );
        assert!(!found["errorMessage"].as_str().unwrap().is_empty());
    }
}
