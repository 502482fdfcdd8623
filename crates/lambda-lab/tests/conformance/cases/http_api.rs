//! The HTTP API in front of a function: payload format 2.0
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).

use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::case::{Case, case};
use crate::support::function::Function;
use crate::support::http::{Answer, send};
use crate::support::lab::Lab;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(http_api, event_is_payload_format_2_0),
        case!(http_api, cookies_and_repeated_headers_and_queries_are_joined_as_documented),
        case!(http_api, binary_body_arrives_as_base64),
        case!(http_api, response_without_a_status_code_becomes_200_json),
        case!(http_api, function_error_becomes_500),
        case!(http_api, time_out_becomes_500),
        case!(http_api, unknown_path_becomes_404),
        case!(http_api, trace_header_is_passed_on),
    ]
}

fn one() -> Lab {
    Lab::serve([Function::judge("one").timeout(2)])
}

fn event_of(lab: &Lab, path: &str, headers: &[(&str, &str)], body: Option<&'static [u8]>) -> Value {
    let request = Request::builder().method(if body.is_some() { "POST" } else { "GET" });
    let request = request.uri(format!("{}{path}", lab.url("one")));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let answer = send(request.body(Full::from(body.unwrap_or_default())).unwrap());
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn event_is_payload_format_2_0() {
    let lab = one();
    let event = event_of(&lab, "/a/b?x=1", &[("user-agent", "judge"), ("x-own", "kept")], None);
    assert_eq!((&event["version"], &event["rawPath"]), (&json!("2.0"), &json!("/a/b")));
    assert_eq!(event["rawQueryString"], "x=1");
    assert_eq!(event["queryStringParameters"], json!({ "x": "1" }));
    assert_eq!((&event["headers"]["x-own"], &event["isBase64Encoded"]), (&json!("kept"), &json!(false)));
    assert!(event.get("body").is_none() && event.get("cookies").is_none(), "absent, not null: {event}");
    let context = &event["requestContext"];
    let http = json!({
        "method": "GET", "path": "/a/b", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "judge"
    });
    assert_eq!(context["http"], http);
    assert!(
        context["timeEpoch"].as_u64().is_some_and(|ms| ms > 1_700_000_000_000),
        "milliseconds: {context}"
    );
    assert!(context["time"].as_str().unwrap().ends_with(" +0000"), "{context}");
    lab.stop();
}

fn cookies_and_repeated_headers_and_queries_are_joined_as_documented() {
    let lab = one();
    let headers = [("cookie", "a=1; b=2"), ("x-many", "one"), ("x-many", "two")];
    let event = event_of(&lab, "/?q=1&q=2%203", &headers, None);
    assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
    assert!(event["headers"].get("cookie").is_none(), "{event}");
    assert_eq!(event["headers"]["x-many"], "one,two");
    assert_eq!(event["queryStringParameters"]["q"], "1,2 3");
    assert_eq!(event["rawQueryString"], "q=1&q=2%203");
    lab.stop();
}

fn binary_body_arrives_as_base64() {
    let lab = one();
    let event = event_of(&lab, "/", &[("content-type", "application/octet-stream")], Some(&[0x00, 0xff]));
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("AP8="), &json!(true)));
    lab.stop();
}

fn response_without_a_status_code_becomes_200_json() {
    let lab = one();
    let answer = lab.post("one", json!({ "do": "pid" }));
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert!(answer.json().is_number() && !answer.header("apigw-requestid").is_empty(), "{answer:?}");
    lab.stop();
}

fn assert_message(answer: &Answer, status: u16, message: &str) {
    assert_eq!((answer.status, answer.json()), (status, json!({ "message": message })), "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
}

fn function_error_becomes_500() {
    let lab = one();
    let fail = json!({ "do": "fail", "type": "Function.Judge", "message": "secret" });
    assert_message(&lab.post("one", fail), 500, "Internal Server Error");
    lab.stop();
}

fn time_out_becomes_500() {
    let lab = one();
    assert_message(&lab.post("one", json!({ "do": "sleep", "ms": 60_000 })), 500, "Internal Server Error");
    lab.stop();
}

fn unknown_path_becomes_404() {
    let lab = one();
    let uri = format!("{}/nobody/here", lab.endpoint());
    assert_message(&send(Request::get(uri).body(Full::default()).unwrap()), 404, "Not Found");
    lab.stop();
}

fn trace_header_is_passed_on() {
    let lab = Lab::serve([Function::judge("one").tracing("Active")]);
    let root = "1-5e1b4151-43a0913a1234567890123456";
    let request = Request::post(lab.url("one")).header("x-amzn-trace-id", format!("Root={root};Sampled=1"));
    let request = request.header("content-type", "application/json");
    let answer = send(request.body(Full::from(json!({ "do": "invoked" }).to_string())).unwrap());
    let trace = answer.json()["headers"]["lambda-runtime-trace-id"].as_str().unwrap().to_owned();
    assert!(trace.starts_with(&format!("Root={root};Parent=")) && trace.contains("Sampled=1"), "{trace}");
    lab.stop();
}
