//! What Lambda may put around a function's steps: INIT ahead, within, repeated, unseen; several invocations in one trace.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

use bench::traces::assemble::assemble;
use bench::traces::records::{Document, InvocationLine};
use bench::traces::segment::{Segment, flatten};
use bench::traces::span::{Note, Span, Trace};
use serde_json::{Value, json};

fn invocation(cold: bool, init_ms: Option<f64>) -> InvocationLine {
    InvocationLine {
        function: "f".into(),
        request_id: "r".into(),
        trace_id: "t".into(),
        cold,
        started_unix_us: 1_000_000,
        init_ms,
        duration_ms: 50.0,
        sampled: true,
    }
}

fn segments(documents: Value) -> Vec<Segment> {
    let mut all = Vec::new();
    for document in serde_json::from_value::<Vec<Document>>(documents).unwrap() {
        flatten(document, &mut all).unwrap();
    }
    all
}

/// From 1 s to 1.05 s.
fn function(subsegments: &Value) -> Value {
    json!({"name": "f", "id": "function", "parent_id": "service", "origin": "AWS::Lambda::Function", "start_time": 1.0, "end_time": 1.05,
        "subsegments": subsegments})
}

fn step(name: &str, id: &str, parent: &str, start: f64, end: f64) -> Value {
    json!({"name": name, "id": id, "parent_id": parent, "start_time": start, "end_time": end})
}

/// Names, starts and lengths in milliseconds, the root's first.
fn told(trace: &Trace) -> Vec<(String, i64, i64)> {
    fn walk(span: &Span, way: &str, into: &mut Vec<(String, i64, i64)>) {
        into.push((format!("{way}{}", span.name), span.start_us / 1000, span.duration_us() / 1000));
        span.children.iter().for_each(|child| walk(child, &format!("{way}{}/", span.name), into));
    }
    let mut all = Vec::new();
    walk(&trace.root, "", &mut all);
    all
}

fn check(trace: &Trace, expected: &[(&str, i64, i64)], notes: &[Note]) {
    let expected: Vec<_> =
        expected.iter().map(|(name, start, length)| ((*name).to_owned(), *start, *length)).collect();
    assert_eq!(told(trace), expected);
    let noted: Vec<Note> =
        trace.notes.iter().copied().filter(|note| *note != Note::NoServiceSegment).collect();
    assert_eq!(noted, notes);
}

#[test]
fn a_function_segment_that_begins_with_init_counts_the_event_from_its_end() {
    let init = json!([step("Init", "init", "", 1.0, 1.01)]);
    let documents = segments(json!([function(&init), step("## handler", "h", "function", 1.01, 1.05)]));
    let trace = assemble(&invocation(true, Some(10.0)), &documents);
    check(&trace, &[("function", -10, 50), ("function/init", -10, 10), ("function/handler", 0, 40)], &[]);
}

#[test]
fn an_old_segment_that_begins_with_initialization_has_its_gap_cut_out() {
    let lambdas =
        json!([step("Initialization", "i", "", 1.0, 1.01), step("Invocation", "v", "", 1.03, 1.05)]);
    let documents = segments(json!([function(&lambdas), step("## handler", "h", "v", 1.03, 1.05)]));
    let trace = assemble(&invocation(true, Some(10.0)), &documents);
    check(&trace, &[("function", -10, 30), ("function/init", -10, 10), ("function/handler", 0, 20)], &[]);
    assert_eq!(trace.gap_us, 20_000);
}

#[test]
fn an_init_that_ran_ahead_of_a_warm_request_is_not_counted_but_said() {
    let init = json!([step("Init", "init", "", 0.1, 0.2)]);
    let steps = json!([
        function(&init),
        step("## init", "own", "function", 0.12, 0.19),
        step("tls", "tls", "own", 0.12, 0.13),
        step("## handler", "h", "function", 1.0, 1.05)
    ]);
    let trace = assemble(&invocation(false, None), &segments(steps));
    let notes = [Note::InitAhead, Note::EarlierInitSteps];
    check(&trace, &[("function", 0, 50), ("function/handler", 0, 50)], &notes);
}

#[test]
fn an_init_that_failed_is_counted_and_its_repetition_is_a_step_of_the_invocation() {
    let inits = json!([step("Init", "first", "", 0.9, 0.99), step("Init", "second", "", 1.0, 1.02)]);
    let steps = json!([
        function(&inits),
        step("## init", "own", "function", 1.001, 1.019),
        step("tls", "tls", "own", 1.001, 1.005),
        step("## handler", "h", "function", 1.02, 1.05)
    ]);
    let trace = assemble(&invocation(true, None), &segments(steps));
    let expected = [
        ("function", -90, 140),
        ("function/init", -90, 90),
        ("function/Init", 0, 20),
        ("function/init", 1, 18),
        ("function/init/tls", 1, 4),
        ("function/handler", 20, 30),
    ];
    check(&trace, &expected, &[]);
}

#[test]
fn without_an_init_segment_its_length_is_that_of_the_invocation() {
    let steps = json!([
        function(&json!([])),
        step("## init", "own", "function", 0.95, 0.97),
        step("## handler", "h", "function", 1.0, 1.05)
    ]);
    let trace = assemble(&invocation(true, Some(25.0)), &segments(steps));
    let expected = [("function", -25, 75), ("function/init", -25, 25), ("function/handler", 0, 50)];
    check(&trace, &expected, &[Note::NoInitSegment]);
    assert_eq!(trace.gap_us, 30_000);
}

/// The attempts of an asynchronous event: one trace, one request id, a function segment each.
#[test]
fn each_attempt_of_an_event_has_its_own_function_segment() {
    let attempt = |id: &str, start: f64, end: f64| {
        json!({"name": "f", "id": id, "parent_id": "attempt", "origin": "AWS::Lambda::Function", "start_time": start, "end_time": end,
            "aws": {"request_id": "r"}})
    };
    let documents = segments(json!([
        attempt("a", 1.0, 1.01),
        attempt("b", 61.0, 61.03),
        step("## handler", "ha", "a", 1.0, 1.01),
        step("## handler", "hb", "b", 61.0, 61.02)
    ]));
    let mut second = invocation(false, None);
    second.started_unix_us = 61_000_100;
    check(&assemble(&second, &documents), &[("function", 0, 30), ("function/handler", 0, 20)], &[]);
    let first = assemble(&invocation(false, None), &documents);
    check(&first, &[("function", 0, 10), ("function/handler", 0, 10)], &[]);
}
