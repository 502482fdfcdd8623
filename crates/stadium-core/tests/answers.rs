//! The answers, as API Gateway and the client see them.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use serde_json::{Value, json};
use stadium_core::{Answer, Problem};

/// What API Gateway receives, and the body in it that the client receives.
fn sent(answer: &Answer) -> (Value, Value) {
    let sent = serde_json::to_value(answer).unwrap();
    let body = serde_json::from_str(&answer.body).unwrap();
    (sent, body)
}

#[test]
fn json_is_answered_as_it_was_given() {
    let answer = Answer::json("[1]".to_owned());
    let expected = json!({
        "statusCode": 200,
        "headers": { "content-type": "application/json" },
        "body": "[1]",
        "isBase64Encoded": false,
        "cookies": [],
    });
    assert_eq!(sent(&answer).0, expected);
}

#[test]
fn an_unavailable_dependency_is_a_503_with_the_trace_and_no_cause() {
    let (sent, body) = sent(&Problem::unavailable(Some("1-5759e988-bd862e3fe1be46a994272793")).into_answer());
    assert_eq!(sent["statusCode"], 503);
    assert_eq!(sent["headers"], json!({ "content-type": "application/problem+json" }));
    let expected = json!({
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "traceId": "1-5759e988-bd862e3fe1be46a994272793",
    });
    assert_eq!(body, expected);
}

#[test]
fn an_internal_error_without_a_trace_is_a_500_without_that_member() {
    let (sent, body) = sent(&Problem::internal(None).into_answer());
    assert_eq!(sent["statusCode"], 500);
    assert_eq!(body, json!({ "type": "about:blank", "title": "Internal Server Error", "status": 500 }));
}
