//! The Invoke API from outside: judged by AWS's own clients, and header by header where no client goes.
#![allow(clippy::unwrap_used)] // A test that cannot go on fails here.

mod serve_common;

use std::io::Write;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use serve_common::{LAMBDA_LAB, Served, example, send};

struct Lab {
    served: Served,
    dir: tempfile::TempDir,
}

impl Lab {
    /// The probe as `hello`, and as `never`, which is always throttled.
    fn start(more: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let probe = example("probe").display().to_string();
        let log = dir.path().join("log").display().to_string();
        let (hello, never) = (format!("hello={probe}"), format!("never={probe}"));
        let mut arguments = vec!["--logs", &log, "--function", &never, "--reserved-concurrency", "0"];
        arguments.extend(["--function", &hello, "--timeout", "1"]);
        arguments.extend(more);
        let arguments: Vec<_> = arguments.into_iter().map(str::to_owned).collect();
        Self { served: Served::start(&arguments, 2), dir }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    async fn invoke(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        payload: impl Into<Bytes>,
    ) -> (StatusCode, HeaderMap, Value) {
        let mut request = Request::post(format!("{}/2015-03-31/functions/{path}", self.served.front()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (status, headers, body) = send(request.body(Full::new(payload.into())).unwrap()).await;
        (status, headers, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }
}

fn probe(path: &str) -> String {
    json!({ "rawPath": path }).to_string()
}

#[tokio::test]
async fn the_function_gets_the_event_itself_and_the_caller_its_answer() {
    let lab = Lab::start(&[]);
    let root = "1-5759e988-bd862e3fe1be46a994272793";
    let trace = format!("Root={root};Sampled=1");
    let headers = [("x-amzn-trace-id", trace.as_str()), ("x-amz-log-type", "Tail")];
    let (status, headers, body) = lab.invoke("hello/invocations", &headers, probe("/event")).await;
    assert_eq!(status, 200);
    assert_eq!(body["body"], probe("/event"), "the event, not an HTTP request");
    assert_eq!(headers["x-amz-executed-version"], "$LATEST");
    assert!(!headers.contains_key("x-amz-function-error"));
    assert!(headers["x-amzn-trace-id"].to_str().unwrap().contains(root));
    let request_id = headers["x-amzn-requestid"].to_str().unwrap();
    let log = String::from_utf8(STANDARD.decode(&headers["x-amz-log-result"]).unwrap()).unwrap();
    assert!(log.starts_with(&format!("START RequestId: {request_id} Version: $LATEST\n")), "{log}");
    assert!(log.contains(&format!("REPORT RequestId: {request_id}\t")) && log.ends_with('\n'), "{log}");

    // Every way to name it; an empty body is an empty object.
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:hello";
    for name in ["hello:$LATEST", arn, &arn.replace(':', "%3A"), "hello/invocations/?Qualifier=$LATEST"] {
        let path = if name.contains('?') { name.to_owned() } else { format!("{name}/invocations") };
        let (status, headers, body) = lab.invoke(&path, &[], "").await;
        assert_eq!((status.as_u16(), &body["statusCode"]), (200, &json!(404)), "{name}: {body}");
        assert!(!headers.contains_key("x-amz-log-result"));
    }
    let context = STANDARD.encode(r#"{"custom": {"a": "b"}}"#);
    let headers = [("x-amz-client-context", context.as_str())];
    let (_, _, body) = lab.invoke("hello/invocations", &headers, probe("/client-context")).await;
    assert!(body["body"].as_str().unwrap().contains(r#""custom":{"a":"b"}"#), "{body}");
    assert!(lab.served.stop());
}

#[tokio::test]
async fn failures_of_the_function_are_answers() {
    let lab = Lab::start(&[]);
    for (path, error_type, words) in [
        (
            "/fail",
            "&alloc::boxed::Box<dyn core::error::Error + core::marker::Send + core::marker::Sync>",
            "asked to fail",
        ),
        ("/exit", "Runtime.ExitError", "Runtime exited with error: exit status 7"),
        ("/sleep/5000", "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
    ] {
        let (status, headers, body) = lab.invoke("hello/invocations", &[], probe(path)).await;
        assert_eq!((status.as_u16(), &headers["x-amz-function-error"]), (200, &"Unhandled".parse().unwrap()));
        assert_eq!(body["errorType"], error_type);
        let message = body["errorMessage"].as_str().unwrap();
        assert!(message.ends_with(words), "{message}");
        if path != "/fail" {
            let id = headers["x-amzn-requestid"].to_str().unwrap();
            assert!(message.starts_with(&format!("RequestId: {id} Error: ")), "{message}");
        }
    }
    assert!(lab.served.stop());
}

/// What a refused call is answered with: status, error type, words of the message.
type Refusal<'a> = (u16, &'a str, &'a str);

async fn refused(lab: &Lab, path: &str, headers: &[(&str, &str)], payload: &[u8], expected: Refusal<'_>) {
    let (status, error_type, words) = expected;
    let (found, headers, body) = lab.invoke(path, headers, payload.to_vec()).await;
    assert_eq!(
        (found.as_u16(), &headers["x-amzn-errortype"]),
        (status, &error_type.parse().unwrap()),
        "{body}"
    );
    assert_eq!(headers["x-amzn-requestid"].len(), 36);
    let message = body.get("message").or(body.get("Message")).unwrap().as_str().unwrap();
    assert!(message.contains(words), "{path}: {message}");
    if status == 429 {
        assert_eq!(body["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded");
    }
}

#[tokio::test]
async fn functions_that_cannot_be_invoked_are_named() {
    let lab = Lab::start(&[]);
    let missing = "Function not found: arn:aws:lambda:us-east-1:123456789012:function:none";
    for (path, expected) in [
        ("none/invocations", (404, "ResourceNotFoundException", missing)),
        ("hello:live/invocations", (404, "ResourceNotFoundException", "function:hello:live")),
        ("a%20b/invocations", (400, "ValidationException", "'functionName'")),
        ("hello/code", (404, "UnknownOperationException", "Invoke")),
        ("never/invocations", (429, "TooManyRequestsException", "Rate Exceeded.")),
    ] {
        refused(&lab, path, &[], b"{}", expected).await;
    }
    assert!(lab.served.stop());
}

#[tokio::test]
async fn broken_requests_are_refused_in_the_services_words() {
    let lab = Lab::start(&[]);
    let content = |words| (400, "InvalidRequestContentException", words);
    let parse = "Could not parse request body into json: Could not parse payload into json: ";
    for (payload, words) in [(&b"{"[..], parse), (b"\"\xff\"", "utf-8"), (b"{} {}", "trailing")] {
        refused(&lab, "hello/invocations", &[], payload, content(words)).await;
    }
    let long_context = "e".repeat(3584);
    for (header, expected) in [
        (
            ("x-amz-client-context", "e30"),
            content("Client context must be a valid Base64-encoded JSON object."),
        ),
        (("x-amz-client-context", &long_context), content("3583")),
        (
            ("x-amz-invocation-type", "Later"),
            (400, "ValidationException", "[Event, RequestResponse, DryRun]"),
        ),
        (("x-amz-log-type", "Head"), (400, "ValidationException", "[None, Tail]")),
    ] {
        refused(&lab, "hello/invocations", &[header], b"{}", expected).await;
    }
    assert!(lab.served.stop());
}

#[tokio::test]
async fn sizes_are_limited_and_a_dry_run_runs_nothing() {
    let lab = Lab::start(&[]);
    let event = [("x-amz-invocation-type", "Event")];
    let of_size = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let (sync, asynchronous) = (6 * 1024 * 1024, 1024 * 1024);
    let too_large = |words| (413, "RequestEntityTooLargeException", words);
    let words = "smaller than 6291456 bytes";
    refused(&lab, "hello/invocations", &[], of_size(sync + 1).as_bytes(), too_large(words)).await;
    let words = "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)";
    refused(&lab, "hello/invocations", &event, of_size(asynchronous + 1).as_bytes(), too_large(words)).await;
    assert_eq!(lab.invoke("hello/invocations", &[], of_size(sync)).await.0, 200);
    assert_eq!(lab.invoke("hello/invocations", &event, of_size(asynchronous)).await.0, 202);
    lab.served.wait_for("the asynchronous event", || lab.log().matches("REPORT").count() == 2).await;
    let dry_run = [("x-amz-invocation-type", "DryRun")];
    assert_eq!(lab.invoke("hello/invocations", &dry_run, "{}").await.0, 204);
    assert_eq!(lab.invoke("none/invocations", &dry_run, "{}").await.0, 404);
    assert_eq!(lab.log().matches("START RequestId").count(), 2);
    assert!(lab.served.stop());
}

#[tokio::test]
async fn asynchronous_events_that_fail_are_tried_three_times_under_one_id() {
    let lab = Lab::start(&["--async-retries", "0.05,0.05"]);
    let event = [("x-amz-invocation-type", "Event")];
    let (status, headers, body) = lab.invoke("hello/invocations", &event, probe("/fail")).await;
    assert_eq!((status.as_u16(), body), (202, Value::Null));
    assert!(!headers.contains_key("x-amz-executed-version"));
    let id = headers["x-amzn-requestid"].to_str().unwrap().to_owned();
    lab.served.wait_for("giving up", || lab.served.said().contains(&format!("event {id} is dropped"))).await;
    assert_eq!(lab.log().matches(&format!("START RequestId: {id}")).count(), 3, "{}", lab.log());
    // A throttled event waits for its turn, however often it is turned away; that is no retry.
    let (status, ..) = lab.invoke("never/invocations", &event, "{}").await;
    assert_eq!(status, 202);
    let (status, headers, _) = lab.invoke("hello/invocations", &event, probe("/pid")).await;
    let id = headers["x-amzn-requestid"].to_str().unwrap().to_owned();
    assert_eq!(status, 202);
    lab.served.wait_for("the good event", || lab.log().contains(&format!("REPORT RequestId: {id}"))).await;
    assert!(lab.served.stop(), "queued events do not hold the lab up");
}

#[tokio::test]
async fn a_throttled_asynchronous_event_runs_when_there_is_room() {
    let lab = Lab::start(&["--reserved-concurrency", "1", "--async-retries", "none"]);
    let event = [("x-amz-invocation-type", "Event")];
    for _ in 0..2 {
        assert_eq!(lab.invoke("hello/invocations", &event, probe("/sleep/300")).await.0, 202);
    }
    lab.served.wait_for("both events", || lab.log().matches("REPORT").count() == 2).await;
    assert!(lab.served.stop());
}

#[tokio::test]
async fn our_own_client_prints_the_answer_and_tells_failure_by_its_exit_code() {
    let lab = Lab::start(&[]);
    let port = lab.served.front().rsplit_once(':').unwrap().1.to_owned();
    let invoke = |arguments: &[&str], input: &str| {
        let mut command = Command::new(LAMBDA_LAB);
        command.arg("invoke").args(arguments).env("AWS_ENDPOINT_URL_LAMBDA", "");
        command.env_remove("AWS_ENDPOINT_URL_LAMBDA");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    let file = lab.dir.path().join("event.json");
    std::fs::write(&file, probe("/pid")).unwrap();
    let file = format!("@{}", file.display());
    for (payload, input) in [(probe("/pid").as_str(), ""), (&file, ""), ("-", &probe("/pid"))] {
        let (success, out, err) = invoke(&["hello", "--port", &port, "--payload", payload], input);
        assert!(success && out.contains("\"statusCode\":200") && out.ends_with("}\n"), "{out}{err}");
        assert_eq!(err, "");
    }
    let url = lab.served.front();
    let tail = ["hello", "--endpoint-url", &url, "--log-type", "Tail", "--payload", &probe("/fail")];
    let (success, out, err) = invoke(&tail, "");
    assert!(!success && out.contains("asked to fail"), "{out}");
    assert!(err.starts_with("START RequestId: ") && err.contains("\nREPORT RequestId: "), "{err}");
    assert_eq!(invoke(&["hello", "--port", &port, "--async"], ""), (true, String::new(), String::new()));
    for (arguments, words) in [
        (&["none", "--port", &port][..], "404 Not Found, ResourceNotFoundException"),
        (&["hello", "--port", &port, "--payload", "{"], "InvalidRequestContentException"),
        (&["hello", "--port", &port, "--payload", "@/no/such"], "/no/such"),
        (&["hello", "--port", "1"], "is a lab running there?"),
        (&["hello", "--endpoint-url", "https://x"], "expected http://host:port"),
        (&["hello"], "--endpoint-url"),
    ] {
        let (success, out, err) = invoke(arguments, "");
        assert!(!success && out.is_empty() && err.contains(words), "{arguments:?}: {out} {err}");
    }
    assert!(lab.served.stop());
}

#[tokio::test]
async fn aws_own_clients_take_it_for_the_service() {
    let python = Command::new("python3").args(["-c", "import boto3"]).output();
    if !python.is_ok_and(|output| output.status.success()) {
        println!("skipped: no boto3");
        return;
    }
    let lab = Lab::start(&[]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/invoke_boto3.py");
    let mut python = tokio::process::Command::new("python3");
    python.arg(script).arg(lab.served.front());
    python
        .env_remove("AWS_ENDPOINT_URL")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    let output = python.output().await.unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.ends_with("judged\n"), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    print!("{printed}");
    assert!(lab.served.stop());
}
