//! Tracing as a user chooses it on the command line, and asynchronous events, which only the Invoke API takes.
#![allow(clippy::unwrap_used)] // A test that cannot go on fails here.

mod serve_common;

use std::path::Path;
use std::process::Command;

use http::Request;
use http_body_util::Full;
use lambda_lab::records::{TraceDocument, TracesSummary};
use serde_json::{Value, json};
use serve_common::{LAMBDA_LAB, Served, example, get, send};

fn words(dir: &Path, more: &[&str]) -> Vec<String> {
    let probe = example("probe").display().to_string();
    let traces = dir.join("traces").display().to_string();
    let (active, passing) = (format!("active={probe}"), format!("passing={probe}"));
    let mut words = vec!["--traces", &traces, "--sampling", "all"];
    words.extend(more);
    words.extend(["--function", &active, "--timeout", "1", "--tracing", "Active", "--function", &passing]);
    words.into_iter().map(str::to_owned).collect()
}

fn documents(dir: &Path) -> Vec<TraceDocument> {
    let text = std::fs::read_to_string(dir.join("traces/documents.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn the_mode_is_the_functions_and_the_rest_is_the_labs() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&words(dir.path(), &["--segments", "old"]), 2);
    for name in ["active", "passing"] {
        get(&format!("{}/pid", served.urls[name])).await;
    }
    assert!(served.stop());
    let documents = documents(dir.path());
    let told: Vec<_> =
        documents.iter().map(|line| (&line.document["name"], &line.document["origin"])).collect();
    assert_eq!(
        told,
        [(&json!("active"), &json!("AWS::Lambda")), (&json!("active"), &json!("AWS::Lambda::Function"))]
    );
    assert_eq!(documents[1].document["subsegments"][1]["name"], "Invocation");
    let summary = std::fs::read(dir.path().join("traces/summary.json")).unwrap();
    let summary: TracesSummary = serde_json::from_slice(&summary).unwrap();
    assert_eq!((summary.sampled_invocations, summary.documents, summary.invalid_documents), (1, 2, 0));
}

#[tokio::test]
async fn an_asynchronous_event_shows_its_wait_and_its_attempts() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&words(dir.path(), &["--async-retries", "0.2"]), 2);
    let event = |payload: Value| {
        let uri = format!("{}/2015-03-31/functions/active/invocations", served.front());
        let request = Request::post(uri).header("x-amz-invocation-type", "Event");
        send(request.body(Full::from(payload.to_string())).unwrap())
    };
    let (status, headers, _) = event(json!({ "rawPath": "/fail" })).await;
    assert_eq!(status, 202);
    let id = headers["x-amzn-requestid"].to_str().unwrap().to_owned();
    served.wait_for("giving up", || served.said().contains(&format!("event {id} is dropped"))).await;
    assert!(served.stop());
    let documents = documents(dir.path());
    assert!(documents.iter().all(|line| line.problems.is_empty()), "{documents:?}");
    let of = |origin: &str| -> Vec<Value> {
        let of_origin = documents.iter().filter(|line| line.document["origin"] == origin);
        of_origin.map(|line| line.document.clone()).collect()
    };
    let [service] = &of("AWS::Lambda")[..] else { panic!("{documents:?}") };
    assert_eq!(
        (&service["http"]["response"]["status"], &service["aws"]["request_id"]),
        (&json!(202), &json!(id))
    );
    let parts = service["subsegments"].as_array().unwrap();
    let names: Vec<_> = parts.iter().map(|part| part["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Dwell Time", "Attempt #1", "Attempt #2"]);
    assert_eq!((&parts[1]["fault"], &parts[2]["fault"]), (&json!(true), &json!(true)));
    let between_s = parts[2]["start_time"].as_f64().unwrap() - parts[1]["end_time"].as_f64().unwrap();
    assert!(between_s >= 0.199, "the pause before the retry: {between_s}");
    let functions = of("AWS::Lambda::Function");
    let parents: Vec<_> = functions.iter().map(|function| &function["parent_id"]).collect();
    assert_eq!(parents, [&parts[1]["id"], &parts[2]["id"]], "each attempt has its own function segment");
    assert_ne!(functions[0]["id"], functions[1]["id"]);
}

#[test]
fn wrong_words_of_tracing_are_named_with_the_mend() {
    let probe = format!("f={}", example("probe").display());
    let cases: &[(&[&str], &str)] = &[
        (&["--function", &probe, "--tracing", "active"], "expected Active or PassThrough"),
        (&["--tracing", "Active", "--function", &probe], "--tracing must come after the --function"),
        (&["--function", &probe, "--sampling", "some"], "expected service (one request a second and 5 %"),
        (&["--function", &probe, "--segments", "v2"], "expected new or old"),
        (&["--function", &probe, "--traces", "/dev/null/x"], "--traces /dev/null/x: Not a directory"),
    ];
    for (arguments, part) in cases {
        let output = Command::new(LAMBDA_LAB).arg("serve").args(*arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains(part),
            "{arguments:?}: {part:?} is missing in: {said}"
        );
    }
}
