//! The Runtime API as a function meets it: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>, with the refusals of
//! AWS's own implementation (github.com/aws/aws-lambda-runtime-interface-emulator, internal/lambda/rapi).

use serde_json::{Value, json};

use crate::case::{Case, case};
use crate::support::function::Function;
use crate::support::lab::Lab;
use crate::support::notes::Notes;

const RESPONSE: &str = "/2018-06-01/runtime/invocation/$ID/response";
const ERROR: &str = "/2018-06-01/runtime/invocation/$ID/error";

/// 6 MiB and 100 bytes, Lambda's limit of a response.
const MAX_RESPONSE: usize = 6 * 1024 * 1024 + 100;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(runtime_api, next_carries_request_id_arn_trace_and_a_deadline_within_the_time_out),
        case!(runtime_api, next_hands_out_the_payload_byte_for_byte),
        case!(runtime_api, next_while_running_hands_out_the_same_event_again),
        case!(runtime_api, response_is_accepted_with_202),
        case!(runtime_api, second_response_is_refused_with_403),
        case!(runtime_api, error_after_a_response_is_refused_with_403),
        case!(runtime_api, response_to_another_request_is_refused_with_400),
        case!(runtime_api, response_to_an_earlier_request_is_refused_with_400),
        case!(runtime_api, init_error_after_init_is_refused_with_403),
        case!(runtime_api, response_over_6_mib_is_refused_with_413_and_fails_the_invocation),
        case!(runtime_api, response_at_the_limit_is_delivered_whole),
        case!(runtime_api, response_that_drips_is_delivered_whole),
        case!(runtime_api, truncated_response_fails_the_invocation_alone),
        case!(runtime_api, posted_error_reaches_the_caller_and_keeps_the_sandbox),
        case!(runtime_api, error_type_without_a_known_prefix_is_reported_as_runtime_unknown),
        case!(runtime_api, unknown_response_mode_is_refused_with_400),
        case!(runtime_api, ping_is_answered),
    ]
}

fn one() -> Lab {
    Lab::serve([Function::judge("one").timeout(5)])
}

/// What the API answered to the function's own calls.
fn noted(lab: &Lab) -> Vec<Value> {
    lab.ask("one", json!({ "do": "noted" })).as_array().unwrap().clone()
}

/// The answer's body, which is JSON within the note.
fn body(note: &Value) -> Value {
    serde_json::from_str(note["body"].as_str().unwrap()).unwrap_or(Value::Null)
}

fn next_carries_request_id_arn_trace_and_a_deadline_within_the_time_out() {
    let lab = one();
    let trace = "Root=1-5e1b4151-43a0913a1234567890123456;Parent=53995c3f42cd8ad8;Sampled=1";
    let payload = json!({ "do": "invoked" }).to_string();
    let answer = lab.invoke_with("one", payload.into(), &[("x-amzn-trace-id", trace)]);
    let invoked = answer.json();
    let headers = &invoked["headers"];
    let id = headers["lambda-runtime-aws-request-id"].as_str().unwrap();
    assert!(uuid::Uuid::parse_str(id).is_ok(), "{id}");
    assert_eq!(answer.header("x-amzn-requestid"), id, "the caller is told the same id");
    let arn = headers["lambda-runtime-invoked-function-arn"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:lambda:") && arn.ends_with(":function:one"), "{arn}");
    assert_eq!(headers["lambda-runtime-trace-id"], trace, "as it came: tracing is PassThrough by default");
    assert_eq!(headers["content-type"], "application/json");
    let deadline_ms: f64 = headers["lambda-runtime-deadline-ms"].as_str().unwrap().parse().unwrap();
    let left_ms = deadline_ms - invoked["now_ms"].as_f64().unwrap();
    assert!(left_ms > 0.0 && left_ms <= 5001.0, "{left_ms} ms left of 5000");
    lab.stop();
}

fn next_hands_out_the_payload_byte_for_byte() {
    let lab = one();
    let event =
        json!({ "do": "event", "text": "snow ☃ \u{1F600} \\u0000", "number": 1.5, "list": [null, {}] });
    assert_eq!(lab.ask("one", event.clone()), event);
    lab.stop();
}

fn next_while_running_hands_out_the_same_event_again() {
    let lab = one();
    let ids = lab.ask("one", json!({ "do": "next_again" }));
    assert_eq!(ids["first"], ids["second"], "{ids}");
    lab.stop();
}

fn response_is_accepted_with_202() {
    let lab = one();
    let calls = json!([["POST", RESPONSE, {}, "\"first\""]]);
    assert_eq!(lab.ask("one", json!({ "do": "calls", "answered": true, "calls": calls })), "first");
    let noted = noted(&lab);
    assert_eq!(noted[0]["status"], 202);
    assert_eq!(body(&noted[0]), json!({ "status": "OK" }));
    lab.stop();
}

fn second_response_is_refused_with_403() {
    let lab = one();
    let calls = json!([["POST", RESPONSE, {}, "\"first\""], ["POST", RESPONSE, {}, "\"second\""]]);
    assert_eq!(lab.ask("one", json!({ "do": "calls", "answered": true, "calls": calls })), "first");
    let noted = noted(&lab);
    assert_eq!(noted[1]["status"], 403, "{noted:?}");
    assert_eq!(body(&noted[1])["errorType"], "InvalidStateTransition");
    lab.stop();
}

fn error_after_a_response_is_refused_with_403() {
    let lab = one();
    let calls = json!([["POST", RESPONSE, {}, "\"first\""], ["POST", ERROR, {}, {}]]);
    assert_eq!(lab.ask("one", json!({ "do": "calls", "answered": true, "calls": calls })), "first");
    let noted = noted(&lab);
    assert_eq!(noted[1]["status"], 403, "{noted:?}");
    assert_eq!(body(&noted[1])["errorType"], "InvalidStateTransition");
    lab.stop();
}

fn response_to_another_request_is_refused_with_400() {
    let lab = one();
    let other = RESPONSE.replace("$ID", "8286a188-ba32-4475-8077-530cd35c09a9");
    let calls = json!([["POST", other, {}, "\"wrong\""], ["POST", RESPONSE, {}, "\"right\""]]);
    assert_eq!(lab.ask("one", json!({ "do": "calls", "answered": true, "calls": calls })), "right");
    let noted = noted(&lab);
    assert_eq!((&noted[0]["status"], &noted[1]["status"]), (&json!(400), &json!(202)), "{noted:?}");
    assert_eq!(body(&noted[0])["errorType"], "InvalidRequestID");
    lab.stop();
}

fn response_to_an_earlier_request_is_refused_with_400() {
    let lab = one();
    let earlier =
        lab.ask("one", json!({ "do": "invoked" }))["headers"]["lambda-runtime-aws-request-id"].clone();
    let stale = RESPONSE.replace("$ID", earlier.as_str().unwrap());
    let calls = json!([["POST", stale, {}, "\"stale\""], ["POST", RESPONSE, {}, "\"fresh\""]]);
    assert_eq!(lab.ask("one", json!({ "do": "calls", "answered": true, "calls": calls })), "fresh");
    assert_eq!(noted(&lab)[0]["status"], 400);
    lab.stop();
}

fn init_error_after_init_is_refused_with_403() {
    let lab = one();
    let calls = json!([["POST", "/2018-06-01/runtime/init/error", {}, {}]]);
    let told = lab.ask("one", json!({ "do": "calls", "calls": calls }));
    assert_eq!(told[0]["status"], 403, "{told}");
    assert_eq!(body(&told[0])["errorType"], "InvalidStateTransition");
    lab.stop();
}

fn response_over_6_mib_is_refused_with_413_and_fails_the_invocation() {
    let lab = one();
    let pid = lab.ask("one", json!({ "do": "pid" }));
    let answer = lab.invoke("one", json!({ "do": "respond_bytes", "bytes": 7 * 1024 * 1024 }));
    assert_eq!(answer.header("x-amz-function-error"), "Unhandled");
    assert_eq!(answer.json()["errorType"], "Function.ResponseSizeTooLarge");
    let noted = noted(&lab);
    assert_eq!(noted[0]["status"], 413, "{noted:?}");
    let expected = json!({
        "errorMessage": "Exceeded maximum allowed payload size (6291556 bytes).",
        "errorType": "RequestEntityTooLarge"
    });
    assert_eq!(body(&noted[0]), expected);
    assert_eq!(lab.ask("one", json!({ "do": "pid" })), pid, "the sandbox is kept");
    lab.stop();
}

fn response_at_the_limit_is_delivered_whole() {
    let lab = one();
    let answer = lab.invoke("one", json!({ "do": "respond_bytes", "bytes": MAX_RESPONSE }));
    assert_eq!(answer.header("x-amz-function-error"), "", "{:?}", answer.headers);
    assert_eq!(answer.body.len(), MAX_RESPONSE);
    lab.stop();
}

fn response_that_drips_is_delivered_whole() {
    let lab = one();
    let answer = lab.ask("one", json!({ "do": "drip", "every_ms": 30 }));
    assert_eq!(answer, json!({ "dripped": true }));
    lab.stop();
}

fn truncated_response_fails_the_invocation_alone() {
    let lab = one();
    let answer = lab.invoke("one", json!({ "do": "truncate" }));
    assert_eq!((answer.status, answer.header("x-amz-function-error")), (200, "Unhandled"), "{answer:?}");
    assert!(lab.ask("one", json!({ "do": "pid" })).is_number());
    lab.stop();
}

fn posted_error_reaches_the_caller_and_keeps_the_sandbox() {
    let lab = one();
    let pid = lab.ask("one", json!({ "do": "pid" }));
    let answer = lab.invoke("one", json!({ "do": "fail", "type": "Function.Judge", "message": "as asked" }));
    assert_eq!((answer.status, answer.header("x-amz-function-error")), (200, "Unhandled"), "{answer:?}");
    assert_eq!(answer.json(), json!({ "errorType": "Function.Judge", "errorMessage": "as asked" }));
    let report = lab.reports(2).remove(1);
    assert!(report.ends_with("\tStatus: error\tError Type: Function.Judge\n"), "{report:?}");
    assert_eq!(lab.ask("one", json!({ "do": "pid" })), pid);
    lab.stop();
}

fn error_type_without_a_known_prefix_is_reported_as_runtime_unknown() {
    let lab = one();
    let answer = lab.invoke("one", json!({ "do": "fail", "type": "ValueError", "message": "" }));
    assert_eq!(answer.json()["errorType"], "ValueError", "the caller's payload is the function's own");
    let report = lab.reports(1).remove(0);
    assert!(report.ends_with("\tStatus: error\tError Type: Runtime.Unknown\n"), "{report:?}");
    lab.stop();
}

fn unknown_response_mode_is_refused_with_400() {
    let lab = one();
    let mode = json!({ "Lambda-Runtime-Function-Response-Mode": "sideways" });
    let notes = Notes(lab.path("notes").into());
    let calls = json!([["POST", RESPONSE, mode, "\"x\""]]);
    let answer =
        lab.invoke("one", json!({ "do": "calls", "answered": true, "calls": calls, "file": notes.0 }));
    assert_eq!(answer.header("x-amz-function-error"), "Unhandled", "{answer:?}");
    let note = notes.wait_for("told", 1)[0][0].clone();
    assert_eq!(note["status"], 400, "{note}");
    assert_eq!(body(&note)["errorType"], "InvalidFunctionResponseMode");
    lab.stop();
}

fn ping_is_answered() {
    let lab = one();
    let told = lab.ask("one", json!({ "do": "calls", "calls": [["GET", "/2018-06-01/ping", {}, ""]] }));
    assert_eq!(told[0]["status"], 200, "{told}");
    lab.stop();
}
