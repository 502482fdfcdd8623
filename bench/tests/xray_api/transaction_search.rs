//! Accounts whose traces are in CloudWatch Logs.

use serde_json::{Value, json};

use crate::answers::*;
use crate::run::Run;
use crate::server::{Answer, Server};

fn in_logs() -> Answer {
    (200, json!({"Destination": "CloudWatchLogs", "Status": "ACTIVE"}))
}

fn retrieved(status: &str, traces: &[Value], next: Option<&str>) -> Answer {
    (200, json!({"RetrievalStatus": status, "TraceFormat": "XRAY", "Traces": traces, "NextToken": next}))
}

fn spans(trace_id: &str) -> Value {
    let mut trace = trace(trace_id, &documents(trace_id));
    trace["Spans"] = trace["Segments"].take();
    trace
}

#[test]
fn retrievals_are_started_waited_for_and_read_to_their_last_page() {
    let ids = [trace_id(1), trace_id(2)];
    let run = Run::of(&[&ids[0], &ids[1]]);
    let served = ids.clone();
    let server = Server::new(move |path, body, before| match (path, before, body["NextToken"].as_str()) {
        (DESTINATION, ..) => in_logs(),
        (START_RETRIEVAL, ..) => (200, json!({"RetrievalToken": format!("retrieval {before}")})),
        (LIST_RETRIEVED, 0, _) => retrieved("SCHEDULED", &[], None),
        (LIST_RETRIEVED, 1, _) => retrieved("RUNNING", &[], None),
        (LIST_RETRIEVED, _, None) => retrieved("COMPLETE", &[spans(&served[0])], Some("more")),
        (LIST_RETRIEVED, ..) => retrieved("COMPLETE", &[spans(&served[1])], None),
        (other, ..) => error(404, "UnknownOperationException", other),
    });
    let said = run.fetch(&server.endpoint, &["--patience-s=20"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);

    let mut written = run.documents();
    written.sort();
    let mut expected = ids.iter().flat_map(|id| documents(id)).collect::<Vec<_>>();
    expected.sort();
    assert_eq!(written, expected);
    let started = server.asked(START_RETRIEVAL);
    assert_eq!(started.len(), 2, "one for each look");
    assert_eq!(asked_ids(&started[0]), ids);
    // The ids say 0x67000000 = 1,728,053,248 s.
    let (since, until) = (started[0]["StartTime"].as_f64(), started[0]["EndTime"].as_f64());
    assert_eq!((since, until), (Some(1_728_052_948.0), Some(1_728_054_448.0)));
    for (index, list) in server.asked(LIST_RETRIEVED).iter().enumerate() {
        assert_eq!(list["TraceFormat"], "XRAY");
        assert_eq!(list["RetrievalToken"], if index < 4 { "retrieval 0" } else { "retrieval 1" });
    }
    assert_eq!(run.report()["read_with"], "StartTraceRetrieval");
}

#[test]
fn a_retrieval_that_failed_is_started_anew_and_told() {
    let id = trace_id(1);
    let run = Run::of(&[&id]);
    let server = Server::new(move |path, _, before| match (path, before) {
        (START_RETRIEVAL, _) => (200, json!({"RetrievalToken": "x"})),
        (LIST_RETRIEVED, 0) => retrieved("TIMEOUT", &[], None),
        _ => retrieved("COMPLETE", &[spans(&id)], None),
    });
    let said = run.fetch(&server.endpoint, &["--from=transaction-search"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.contains("ListRetrievedTraces: the retrieval ended with TIMEOUT"), "{}", said.stdout);
    assert_eq!(server.asked(START_RETRIEVAL).len(), 3, "the failed one and two looks");
}

#[test]
fn a_log_group_that_is_not_there_is_said_with_the_other_way() {
    let run = Run::of(&[&trace_id(1)]);
    let server = Server::new(|path, _, _| match path {
        DESTINATION => in_logs(),
        _ => error(404, "ResourceNotFoundException", "The log group aws/spans does not exist"),
    });
    let said = run.fetch(&server.endpoint, &[]);
    assert_eq!(said.code, Some(1));
    for part in ["StartTraceRetrieval in eu-central-1", "aws/spans does not exist", "--from xray"] {
        assert!(said.stderr.contains(part), "{part:?} is missing in {}", said.stderr);
    }
}
