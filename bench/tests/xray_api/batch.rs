//! `BatchGetTraces`: batches, pages, what is unprocessed, what comes late, what never comes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::answers::*;
use crate::run::Run;
use crate::server::Server;

fn run_of(count: u32) -> (Run, Vec<String>) {
    let ids: Vec<String> = (1..=count).map(trace_id).collect();
    (Run::of(&ids.iter().map(String::as_str).collect::<Vec<_>>()), ids)
}

#[test]
fn every_trace_of_the_run_is_fetched_in_fives_byte_by_byte_and_once() {
    let (run, ids) = run_of(12);
    let server = Server::new(|path, body, _| match path {
        DESTINATION => in_xray(),
        BATCH_GET_TRACES => whole(body),
        other => error(404, "UnknownOperationException", other),
    });
    let said = run.fetch(&server.endpoint, &[]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);

    let expected: BTreeSet<String> = ids.iter().flat_map(|id| documents(id)).collect();
    let written = run.documents();
    assert_eq!(written.len(), 24, "each once, although each trace is looked at twice");
    assert_eq!(written.into_iter().collect::<BTreeSet<_>>(), expected);
    for line in run.lines() {
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["source"], "xray");
        assert!(line["received_unix_us"].as_u64().unwrap() > 1_700_000_000_000_000);
        assert!(line.get("problems").is_none() && line.get("text").is_none());
    }
    let asked = server.asked(BATCH_GET_TRACES);
    assert_eq!(asked.len(), 6, "two looks of three calls");
    assert!(asked.iter().all(|body| asked_ids(body).len() <= 5));
    let asked: BTreeSet<String> = asked.iter().flat_map(asked_ids).collect();
    assert_eq!(asked, ids.into_iter().collect());
    assert!(said.stdout.contains("12 of 12 traces whole, 24 documents: BatchGetTraces in eu-central-1"));
    assert_eq!(run.report()["incomplete"], json!({}));
}

#[test]
fn every_page_is_read() {
    let (run, ids) = run_of(3);
    let pages = ids.clone();
    let server = Server::new(move |_, body, _| match body["NextToken"].as_str() {
        None => page(&[trace(&pages[0], &documents(&pages[0]))], &[], Some("2")),
        // A trace may go on where the page before it ended.
        Some("2") => page(&[trace(&pages[1], &documents(&pages[1])[..1])], &[], Some("3")),
        _ => page(
            &[trace(&pages[1], &documents(&pages[1])[1..]), trace(&pages[2], &documents(&pages[2]))],
            &[],
            None,
        ),
    });
    let said = run.fetch(&server.endpoint, &["--from=xray"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(run.documents().len(), 6);
    assert_eq!(run.report()["whole"], 3, "{}", said.stdout);
}

#[test]
fn a_page_that_leads_to_itself_does_not_hang() {
    let (run, _) = run_of(1);
    let server = Server::new(|_, _, _| page(&[], &[], Some("again")));
    let said = run.fetch(&server.endpoint, &["--from=xray"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("NextToken leads to the same page again"), "{}", said.stderr);
}

#[test]
fn what_is_unprocessed_is_asked_for_again() {
    let (run, ids) = run_of(2);
    let server = Server::new(move |_, body, before| match before {
        0 => page(&[trace(&ids[0], &documents(&ids[0]))], &[ids[1].clone()], None),
        _ => whole(body),
    });
    let said = run.fetch(&server.endpoint, &["--from=xray"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!((run.documents().len(), &run.report()["unprocessed"]), (4, &json!(1)));
}

#[test]
fn what_comes_late_is_waited_for_and_what_never_comes_is_named() {
    let (run, ids) = run_of(4);
    let [service, function] = documents(&ids[0]);
    let unended = function.replace("\"end_time\":1.7280532484E9", "\"in_progress\":true");
    let late = format!("{{\"id\":\"dddddddddddddddd\",\"trace_id\":\"{}\",\"name\":\"late\"}}", ids[0]);
    let served = ids.clone();
    let server = Server::new(move |_, _, before| {
        // The first trace grows from look to look; the second never ends; the third has no function; the fourth never comes.
        let first: Vec<&String> = match before {
            0 => vec![],
            1 => vec![&service],
            2 => vec![&service, &unended],
            3 => vec![&function, &service],
            _ => vec![&function, &service, &late],
        };
        let [service, function] = documents(&served[1]);
        let second = [service, function.replace("\"end_time\":1.7280532484E9", "\"in_progress\":true")];
        let third = &documents(&served[2])[..1];
        page(&[trace(&served[0], &first), trace(&served[1], &second), trace(&served[2], third)], &[], None)
    });
    let said = run.fetch(&server.endpoint, &["--from=xray"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);

    let report = run.report();
    let lacks = json!({&ids[1]: "unended", &ids[2]: "no_function_segment", &ids[3]: "absent"});
    assert_eq!((&report["whole"], &report["incomplete"]), (&json!(1), &lacks));
    let written = run.documents();
    assert_eq!(written.len(), 3 + 2 + 1);
    assert!(written.iter().any(|text| text.contains("\"late\"")), "{written:?}");
    let of_first: Vec<&String> = written.iter().filter(|text| text.contains(&ids[0])).collect();
    assert!(of_first.iter().all(|text| !text.contains("in_progress")), "{of_first:?}");
    for part in [
        "1 of 4 traces whole",
        "no document of it came",
        "has no end",
        "gave up because nothing new",
        &ids[3],
    ] {
        assert!(said.stdout.contains(part), "{part:?} is missing in {}", said.stdout);
    }
}

#[test]
fn a_trace_that_never_rests_ends_at_the_time_limit() {
    let (run, ids) = run_of(1);
    let server = Server::new(move |_, _, before| {
        let more = format!("{{\"id\":\"{before:016x}\",\"trace_id\":\"{}\"}}", ids[0]);
        page(&[trace(&ids[0], &[&documents(&ids[0])[..], &[more][..]].concat())], &[], None)
    });
    let said = run.fetch(&server.endpoint, &["--from=xray", "--time-limit-s=1.5"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.contains("were still changing"), "{}", said.stdout);
    assert!(said.stdout.contains("stopped after 1 s (--time-limit-s)"), "{}", said.stdout);
}
