//! Traces by a filter expression.

use serde_json::{Value, json};

use crate::answers::*;
use crate::run::Run;
use crate::server::{Answer, Server};

const FILTER: &str = "annotation.Service = \"stadiums\"";

fn summaries(ids: &[String], next: Option<&str>) -> Answer {
    let summaries: Vec<Value> = ids.iter().map(|id| json!({"Id": id, "Duration": 0.1})).collect();
    (200, json!({"TraceSummaries": summaries, "TracesProcessedCount": ids.len(), "NextToken": next}))
}

fn fetch(run: &Run, server: &Server, since: &str, until: &str) -> crate::run::Said {
    run.fetch(&server.endpoint, &["--from=xray", "--filter", FILTER, "--since", since, "--until", until])
}

#[test]
fn the_whole_time_is_searched_page_by_page_and_each_trace_fetched_once() {
    let run = Run::of(&[]);
    let server = Server::new(|path, body, _| match (path, body["NextToken"].as_str()) {
        (GET_TRACE_SUMMARIES, None) => summaries(&[trace_id(1), trace_id(2)], Some("more")),
        (GET_TRACE_SUMMARIES, _) => summaries(&[trace_id(2), trace_id(3)], None),
        _ => whole(body),
    });
    let said = fetch(&run, &server, "2024-10-04T10:00:00Z", "2024-10-04T17:00:00Z");
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(run.documents().len(), 6);
    assert_eq!(asked_ids(&server.asked(BATCH_GET_TRACES)[0]), [trace_id(1), trace_id(2), trace_id(3)]);
    let asked = server.asked(GET_TRACE_SUMMARIES);
    assert_eq!(asked.len(), 4, "seven hours are two frames of two pages");
    assert!(asked.iter().all(|body| body["FilterExpression"] == FILTER));
    let frame = |body: &Value| (body["StartTime"].as_f64().unwrap(), body["EndTime"].as_f64().unwrap());
    let start = 1_728_036_000.0;
    assert_eq!(frame(&asked[0]), (start, start + 21_600.0));
    assert_eq!(frame(&asked[2]), (start + 21_600.0, start + 25_201.0));
}

#[test]
fn what_finds_nothing_and_what_is_no_expression_are_told_apart() {
    let run = Run::of(&[]);
    let nothing = Server::new(|_, _, _| summaries(&[], None));
    let said = fetch(&run, &nothing, "2024-10-04T10:00:00Z", "2024-10-04T11:00:00Z");
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("no trace in eu-central-1 matches annotation.Service"), "{}", said.stderr);

    let wrong = Server::new(|_, _, _| error(400, "InvalidRequestException", "Unexpected token at 1:4"));
    let said = fetch(&run, &wrong, "2024-10-04T10:00:00Z", "2024-10-04T11:00:00Z");
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("Unexpected token at 1:4"), "{}", said.stderr);
    assert!(said.stderr.contains("Use filter expressions"), "{}", said.stderr);

    let said = fetch(&run, &wrong, "2024-10-04T11:00:00Z", "2024-10-04T10:00:00Z");
    assert!(said.stderr.contains("--since 2024-10-04T11:00:00Z is not before"), "{}", said.stderr);
    assert!(!run.path("traces").exists(), "nothing was written");
}
