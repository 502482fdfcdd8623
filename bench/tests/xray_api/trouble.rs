//! Throttling, refusals, missing credentials, broken documents.

use std::time::Instant;

use serde_json::{Value, json};

use crate::answers::*;
use crate::run::Run;
use crate::server::Server;

#[test]
fn a_throttled_call_is_repeated() {
    let run = Run::of(&[&trace_id(1)]);
    let server = Server::new(|_, body, before| match before {
        0 | 2 => error(429, "ThrottledException", "Rate exceeded"),
        _ => whole(body),
    });
    let said = run.fetch(&server.endpoint, &["--from=xray", "--patience-s=10"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(server.asked(BATCH_GET_TRACES).len(), 4, "two looks, one more attempt each");
    assert_eq!(run.report()["failed_reads"], 0, "the SDK repeats a call by itself");
}

#[test]
fn throttling_without_end_ends_in_time_and_is_named() {
    let run = Run::of(&[&trace_id(1)]);
    let server = Server::new(|_, _, _| error(429, "ThrottledException", "Rate exceeded"));
    let begun = Instant::now();
    let said = run.fetch(&server.endpoint, &["--from=xray", "--patience-s=60", "--time-limit-s=5"]);
    assert!(begun.elapsed().as_secs() < 8, "{:?}", begun.elapsed());
    assert_eq!(said.code, Some(1));
    for part in ["any of the 1 traces", "--time-limit-s", "ThrottledException, HTTP 429: Rate exceeded"] {
        assert!(said.stderr.contains(part), "{part:?} is missing in {}", said.stderr);
    }
    assert!(!run.path("traces").exists(), "nothing was written");
}

#[test]
fn every_refusal_says_what_to_do() {
    let cases = [
        (403, "AccessDeniedException", "is not authorized", "allow xray:GetTraceSegmentDestination"),
        (403, "AccessDeniedException", "is not authorized", "--from xray"),
        (403, "ExpiredTokenException", "The security token is expired", "sign in again"),
        (403, "UnrecognizedClientException", "The token is invalid", "sign in again"),
        (400, "InvalidRequestException", "No", "was refused: InvalidRequestException, HTTP 400: No"),
    ];
    for (status, code, message, mend) in cases {
        let run = Run::of(&[&trace_id(1)]);
        let server = Server::new(move |_, _, _| error(status, code, message));
        let said = run.fetch(&server.endpoint, &[]);
        assert_eq!(said.code, Some(1), "{code}");
        for part in [message, mend, "GetTraceSegmentDestination in eu-central-1"] {
            assert!(said.stderr.contains(part), "{code}: {part:?} is missing in {}", said.stderr);
        }
        assert_eq!(server.asked(DESTINATION).len(), 1, "{code} is not asked again");
    }
}

#[test]
fn what_had_come_when_the_credentials_expired_is_kept() {
    let run = Run::of(&[&trace_id(1)]);
    let server = Server::new(|_, body, before| match before {
        0 => whole(body),
        _ => error(403, "ExpiredTokenException", "The security token is expired"),
    });
    let said = run.fetch(&server.endpoint, &["--from=xray"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("what had come by then is written"), "{}", said.stderr);
    assert!(said.stderr.contains("sign in again"), "{}", said.stderr);
    assert_eq!(run.documents().len(), 2);
    assert_eq!(run.report()["incomplete"], json!({trace_id(1): "unsettled"}));
}

#[test]
fn a_missing_region_missing_keys_and_a_dead_endpoint_are_told_apart() {
    let run = Run::of(&[&trace_id(1)]);
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let region = [("AWS_REGION", "eu-central-1")];
    let nowhere = "http://127.0.0.1:9";
    let no_region = run.fetch_as(nowhere, &keys, &["--from=xray"]);
    assert!(no_region.stderr.contains("set AWS_REGION"), "{}", no_region.stderr);
    let no_keys = run.fetch_as(nowhere, &region, &["--from=xray"]);
    assert!(no_keys.stderr.contains("no AWS credentials"), "{}", no_keys.stderr);
    assert!(no_keys.stderr.contains("export-credentials"), "{}", no_keys.stderr);
    let dead = run.fetch(nowhere, &["--from=xray", "--time-limit-s=5", "--patience-s=5"]);
    assert!(
        dead.stderr.contains("BatchGetTraces in eu-central-1 failed and is tried again"),
        "{}",
        dead.stderr
    );
    assert!(dead.stderr.to_lowercase().contains("connection refused"), "{}", dead.stderr);
    assert_eq!([no_region.code, no_keys.code, dead.code], [Some(1); 3]);
}

#[test]
fn broken_documents_and_traces_that_are_cut_short_are_kept_and_counted() {
    let ids = [trace_id(1), trace_id(2)];
    let run = Run::of(&[&ids[0], &ids[1]]);
    let server = Server::new(move |_, _, _| {
        let mut first = trace(&ids[0], &documents(&ids[0]));
        let segments = first["Segments"].as_array_mut().unwrap();
        segments.push(json!({"Id": "eeeeeeeeeeeeeeee", "Document": "{\"id\":\"eeeeeeeeeeeeeeee\","}));
        segments.push(json!({"Id": "ffffffffffffffff"}));
        let mut second = trace(&ids[1], &documents(&ids[1]));
        second["LimitExceeded"] = json!(true);
        page(&[first, second], &[], None)
    });
    let said = run.fetch(&server.endpoint, &["--from=xray"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let report = run.report();
    assert_eq!((&report["documents"], &report["broken_documents"]), (&json!(6), &json!(2)));
    assert_eq!(report["cut_short"], json!([trace_id(2)]));
    assert!(said.stdout.contains("1 cut short by X-Ray, LimitExceeded"), "{}", said.stdout);
    assert!(said.stdout.contains("2 documents are broken"), "{}", said.stdout);

    let lines: Vec<Value> = run.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let broken: Vec<&Value> = lines.iter().filter(|line| line["document"].is_null()).collect();
    assert_eq!(broken[0]["text"], "{\"id\":\"eeeeeeeeeeeeeeee\",");
    let problem = broken[0]["problems"][0].as_str().unwrap();
    assert!(problem.starts_with("segment eeeeeeeeeeeeeeee: the document is no JSON"), "{problem}");
    assert_eq!(
        broken[1]["problems"],
        json!(["segment ffffffffffffffff: X-Ray named the segment without a document"])
    );
}
