//! HTTP API and function URLs from outside: the events they make, their limits, and how each words a failure.
#![allow(clippy::unwrap_used)] // A test that cannot go on fails here.

mod serve_common;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use serve_common::{Served, example, send};

/// The probe as `hello`, and as `never`, which is always throttled.
fn start() -> Served {
    let probe = example("probe").display().to_string();
    let (hello, never) = (format!("hello={probe}"), format!("never={probe}"));
    let arguments =
        ["--function", &never, "--reserved-concurrency", "0", "--function", &hello, "--timeout", "1"];
    Served::start(&arguments.map(str::to_owned), 2)
}

async fn get(lab: &Served, path: &str) -> (StatusCode, HeaderMap, Bytes) {
    let request = Request::get(format!("{}/{path}", lab.front()));
    send(request.body(Full::default()).unwrap()).await
}

async fn post(
    lab: &Served,
    path: &str,
    content_type: &str,
    body: impl Into<Bytes>,
) -> (StatusCode, HeaderMap, Bytes) {
    let request = Request::post(format!("{}/{path}", lab.front())).header("content-type", content_type);
    send(request.body(Full::new(body.into())).unwrap()).await
}

fn json_of(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

#[tokio::test]
async fn a_function_url_makes_the_same_event_but_for_what_an_api_adds() {
    let lab = start();
    let (status, headers, body) = get(&lab, "function-url/hello/event?a=1").await;
    let event = json_of(&body);
    assert_eq!(
        (status.as_u16(), &event["version"], &event["rawPath"]),
        (200, &json!("2.0"), &json!("/event"))
    );
    let context = &event["requestContext"];
    assert_eq!((&context["accountId"], &context["apiId"]), (&json!("anonymous"), &json!("hello")));
    assert_eq!((&context["routeKey"], &context["stage"]), (&json!("$default"), &json!("$default")));
    assert_eq!(headers["x-amzn-requestid"].to_str().unwrap(), context["requestId"].as_str().unwrap());
    assert!(!headers.contains_key("apigw-requestid"));

    let (_, headers, body) = get(&lab, "hello/event?a=1").await;
    let of_api = json_of(&body);
    assert_eq!(of_api["requestContext"]["accountId"], "123456789012");
    let id = headers["apigw-requestid"].to_str().unwrap();
    assert_eq!((id.len(), of_api["requestContext"]["requestId"].as_str().unwrap()), (16, id));
    for same in ["rawPath", "rawQueryString", "queryStringParameters", "isBase64Encoded"] {
        assert_eq!(event[same], of_api[same]);
    }
    assert!(lab.stop());
}

#[tokio::test]
async fn each_words_failures_in_its_own_way() {
    let lab = start();
    let of_api = |text: &str| json!({ "message": text }).to_string();
    let throttled = r#"{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}"#;
    let failed = of_api("Internal Server Error");
    for (path, status, words) in [
        ("hello/fail", 500, failed.as_str()),
        ("hello/exit", 500, &failed),
        ("hello/sleep/3000", 500, &failed),
        ("hello/nonsense", 500, &failed),
        ("never/", 503, &of_api("Service Unavailable")),
        ("none/", 404, &of_api("Not Found")),
        ("function-url/hello/fail", 502, "Internal Server Error"),
        ("function-url/hello/exit", 502, "Internal Server Error"),
        ("function-url/hello/sleep/3000", 502, "Internal Server Error"),
        ("function-url/hello/nonsense", 502, "Internal Server Error"),
        ("function-url/never/", 429, throttled),
        ("function-url/none/", 404, &of_api("Not Found")),
    ] {
        let (found, _, body) = get(&lab, path).await;
        assert_eq!((found.as_u16(), std::str::from_utf8(&body).unwrap()), (status, words), "{path}");
    }
    assert!(lab.stop());
}

#[tokio::test]
async fn requests_beyond_the_limits_are_refused_before_the_function() {
    let lab = start();
    const MB: usize = 1024 * 1024;
    let quotes = |bytes| vec![b'"'; bytes];
    // Base64 makes four bytes of three, JSON makes two of a quote: it is the event that must be small enough.
    for (path, content_type, body, expected) in [
        ("hello/pid", "text/plain", vec![b'x'; 5 * MB], 200),
        ("hello/pid", "application/octet-stream", vec![b'x'; 5 * MB], 413),
        ("hello/pid", "text/plain", quotes(7 * MB / 2), 413),
        ("hello/pid", "text/plain", vec![b'x'; 11 * MB], 413),
        ("function-url/hello/pid", "text/plain", vec![b'x'; 5 * MB], 200),
        ("function-url/hello/pid", "text/plain", vec![b'x'; 7 * MB], 413),
        // The answer is what is too large here: it quotes the event once more.
        ("hello/event", "text/plain", quotes(5 * MB / 2), 500),
        ("function-url/hello/event", "text/plain", quotes(5 * MB / 2), 502),
    ] {
        let size = body.len();
        let (status, _, answer) = post(&lab, path, content_type, body).await;
        assert_eq!(status, expected, "{path} {content_type} {size}: {answer:?}");
    }
    let long = "x".repeat(10_300);
    let with_header = |path: &str| Request::get(format!("{}/{path}", lab.front())).header("x-long", &long);
    let (status, _, body) = send(with_header("hello/pid").body(Full::default()).unwrap()).await;
    assert_eq!(
        (status.as_u16(), json_of(&body)),
        (431, json!({ "message": "Request Header Fields Too Large" }))
    );
    assert_eq!(send(with_header("function-url/hello/pid").body(Full::default()).unwrap()).await.0, 200);
    assert!(lab.stop());
}

#[tokio::test]
async fn bytes_that_are_no_utf_8_arrive_as_they_may_and_break_nothing() {
    let lab = start();
    let (status, _, body) = post(&lab, "hello/event", "application/json", &b"{\"a\":\"\xff\"}"[..]).await;
    let event = json_of(&body);
    assert_eq!(
        (status.as_u16(), &event["isBase64Encoded"], &event["body"]),
        (200, &json!(true), &json!("eyJhIjoi/yJ9"))
    );
    let (status, _, body) = get(&lab, "hello/event?%FF=%ZZ&a=%C3%A4&=&&b").await;
    let event = json_of(&body);
    assert_eq!((status.as_u16(), &event["queryStringParameters"]["a"]), (200, &json!("\u{e4}")));
    assert_eq!(event["rawQueryString"], "%FF=%ZZ&a=%C3%A4&=&&b");
    let request = Request::get(format!("{}/hello/event", lab.front()));
    let request = request.header("x-odd", &b"caf\xe9"[..]).body(Full::default()).unwrap();
    let (status, _, body) = send(request).await;
    assert_eq!((status.as_u16(), &json_of(&body)["headers"]["x-odd"]), (200, &json!("caf\u{fffd}")));
    assert!(lab.stop());
}
