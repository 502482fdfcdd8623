//! Spans that become documents, and bytes that become sentences.

use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Status};

use super::*;
use crate::xray::validate::{self, Author};

fn attribute(key: &str, value: Any) -> KeyValue {
    let value = Some(AnyValue { value: Some(value) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Any::StringValue(value.to_owned()))
}

fn span(change: impl FnOnce(&mut Span)) -> Span {
    let mut span = Span {
        trace_id: (1..=16).collect(),
        span_id: vec![0xaa; 8],
        parent_span_id: vec![0xbb; 8],
        name: "GET product:{id}".to_owned(),
        start_time_unix_nano: 1_790_000_000_123_456_789,
        end_time_unix_nano: 1_790_000_000_223_456_789,
        ..Span::default()
    };
    change(&mut span);
    span
}

fn sent(spans: Vec<Span>) -> Vec<u8> {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    STANDARD.encode(ExportTraceServiceRequest { resource_spans }.encode_to_vec()).into_bytes()
}

fn only(span: Span) -> Value {
    let documents = documents(&sent(vec![span])).unwrap();
    let [document] = &documents[..] else { panic!("{documents:?}") };
    let problems = validate::problems(document, document.to_string().len(), Author::Function);
    assert_eq!(problems, [""; 0], "{document}");
    document.clone()
}

#[test]
fn a_span_becomes_a_subsegment_of_its_parent() {
    let document = only(span(|span| {
        span.kind = SpanKind::Server as i32;
        span.attributes =
            vec![attribute("annotation.ColdStart", Any::BoolValue(true)), text("faas.name", "f")];
    }));
    let expected = json!({
        "type": "subsegment", "name": "GET product:id", "id": "aaaaaaaaaaaaaaaa", "parent_id": "bbbbbbbbbbbbbbbb",
        "trace_id": "1-01020304-05060708090a0b0c0d0e0f10", "start_time": 1_790_000_000.123456,
        "end_time": 1_790_000_000.223456, "annotations": { "ColdStart": true },
        "metadata": { "default": { "faas.name": "f" } },
    });
    assert_eq!(document, expected);
}

#[test]
fn calls_get_their_blocks() {
    let client = |attributes: Vec<KeyValue>| {
        only(span(|span| {
            span.kind = SpanKind::Client as i32;
            span.attributes = attributes;
        }))
    };
    let sql = client(vec![text("db.system.name", "postgresql"), text("db.query.text", "SELECT 1")]);
    assert_eq!(sql["namespace"], "remote");
    assert_eq!(sql["sql"], json!({ "database_type": "postgresql", "sanitized_query": "SELECT 1" }));
    assert_eq!(client(vec![text("db.system", "redis")]).get("sql"), None);
    let aws = client(vec![text("rpc.system", "aws-api"), text("rpc.method", "GetParameters")]);
    assert_eq!((&aws["namespace"], &aws["aws"]), (&json!("aws"), &json!({ "operation": "GetParameters" })));
    let http = client(vec![
        text("http.method", "GET"),
        text("url.full", "http://x/"),
        attribute("http.status_code", Any::IntValue(200)),
    ]);
    let expected =
        json!({ "request": { "method": "GET", "url": "http://x/" }, "response": { "status": 200 } });
    assert_eq!(http["http"], expected);
}

#[test]
fn an_error_has_its_flag_and_its_cause() {
    let failed = |status: Option<i64>, events: Vec<Event>| {
        only(span(|span| {
            span.status = Some(Status { code: StatusCode::Error as i32, message: "no answer".to_owned() });
            span.attributes = status
                .map(|status| attribute("http.status_code", Any::IntValue(status)))
                .into_iter()
                .collect();
            span.events = events;
        }))
    };
    let flags = |document: &Value| ["error", "throttle", "fault"].map(|flag| document.get(flag).is_some());
    assert_eq!(flags(&failed(None, Vec::new())), [false, false, true]);
    assert_eq!(flags(&failed(Some(503), Vec::new())), [false, false, true]);
    assert_eq!(flags(&failed(Some(404), Vec::new())), [true, false, false]);
    assert_eq!(flags(&failed(Some(429), Vec::new())), [true, true, false]);
    assert_eq!(failed(None, Vec::new())["cause"]["exceptions"][0]["message"], "no answer");
    let attributes = vec![text("exception.type", "E"), text("exception.message", "m")];
    let event = Event { name: "exception".to_owned(), attributes, ..Event::default() };
    let told = &failed(None, vec![event])["cause"]["exceptions"][0];
    assert_eq!((&told["type"], &told["message"]), (&json!("E"), &json!("m")));
}

#[test]
fn what_a_span_lacks_is_for_the_judge_and_garbage_is_named() {
    let empty = &documents(&sent(vec![Span::default()])).unwrap()[0];
    let problems = validate::problems(empty, 100, Author::Function);
    for place in ["/id is", "/trace_id is", "/parent_id is missing", "/start_time is"] {
        assert!(problems.iter().any(|problem| problem.starts_with(place)), "{place}: {problems:?}");
    }
    assert_eq!(documents(b"").unwrap(), [Value::Null; 0]);
    assert!(documents(b"***").unwrap_err().contains("no base64"));
    assert!(documents(b"/////w==").unwrap_err().contains("no ExportTraceServiceRequest"));
    let mut random = fastrand::Rng::with_seed(6);
    for _ in 0..5_000 {
        let mut bytes = sent(vec![span(|_| ())]);
        for _ in 0..random.usize(1..5) {
            let place = random.usize(..bytes.len());
            bytes[place] = *random.choice(b"AZaz09+/=*").unwrap();
        }
        for document in documents(&bytes).unwrap_or_default() {
            validate::problems(&document, 100, Author::Function);
        }
    }
}
