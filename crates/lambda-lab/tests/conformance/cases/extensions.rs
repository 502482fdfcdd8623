//! The Extensions API as an extension meets it: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html>.

use serde_json::{Value, json};

use crate::case::{Case, case};
use crate::support::function::Function;
use crate::support::lab::Lab;
use crate::support::log::field;
use crate::support::notes::Notes;

const REGISTER: &str = "/2020-01-01/extension/register";
const NEXT: &str = "/2020-01-01/extension/event/next";

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(extensions, registration_tells_the_function_and_an_identifier),
        case!(extensions, account_id_is_told_to_whom_asks_for_the_feature),
        case!(extensions, invoke_event_tells_request_deadline_arn_and_trace),
        case!(extensions, extension_without_invoke_gets_no_invoke_event),
        case!(extensions, shutdown_event_says_spindown),
        case!(extensions, shutdown_event_says_timeout),
        case!(extensions, shutdown_event_says_failure),
        case!(extensions, init_lasts_until_the_extension_is_ready),
        case!(extensions, answer_does_not_wait_for_the_extension_but_the_report_does),
        case!(extensions, registration_after_init_is_refused),
        case!(extensions, unknown_event_type_is_refused),
        case!(extensions, internal_extension_may_not_take_shutdown),
        case!(extensions, identifiers_that_are_missing_wrong_or_unknown_are_refused),
        case!(extensions, eleventh_extension_is_refused),
        case!(extensions, environment_lacks_what_lambda_withholds),
        case!(extensions, readiness_is_logged),
    ]
}

/// A lab whose function has one extension, `watcher`, with `config` and notes.
pub(super) fn watched(function: Function, mut config: Value) -> (Lab, Notes) {
    let dir = tempfile::tempdir().unwrap();
    let notes = Notes(dir.path().join("notes"));
    config["notes"] = json!(notes.0);
    (Lab::serve_in(dir, [function.extension("watcher", config)], &[]), notes)
}

fn pid() -> Value {
    json!({ "do": "pid" })
}

fn register(name: &str, events: &[&str]) -> Value {
    json!(["POST", REGISTER, { "Lambda-Extension-Name": name }, { "events": events }])
}

fn body(told: &Value) -> Value {
    serde_json::from_str(told["body"].as_str().unwrap()).unwrap_or(Value::Null)
}

fn assert_refused(told: &Value, error_type: &str) {
    assert_eq!((&told["status"], &body(told)["errorType"]), (&json!(403), &json!(error_type)), "{told}");
}

fn registration_tells_the_function_and_an_identifier() {
    let (lab, notes) = watched(Function::judge("one"), json!({}));
    lab.ask("one", pid());
    let told = notes.wait_for("registered", 1).remove(0);
    assert_eq!(told["status"], 200);
    let expected = json!({ "functionName": "one", "functionVersion": "$LATEST", "handler": "bootstrap" });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&body(&told)[key], value, "{told}");
    }
    assert!(body(&told)["accountId"].is_null(), "only for those who ask for the feature");
    let identifier = told["headers"]["lambda-extension-identifier"].as_str().unwrap();
    assert!(uuid::Uuid::parse_str(identifier).is_ok(), "{identifier}");
    lab.stop();
}

fn account_id_is_told_to_whom_asks_for_the_feature() {
    let headers = json!({ "Lambda-Extension-Name": "inner", "Lambda-Extension-Accept-Feature": "accountId" });
    let calls = json!([["POST", REGISTER, headers, { "events": [] }]]);
    let lab =
        Lab::serve([Function::judge("one").init(json!([{ "do": "register_internal", "calls": calls }]))]);
    let told = lab.ask("one", json!({ "do": "noted" }))[0].clone();
    assert!(body(&told)["accountId"].as_str().is_some_and(|id| id.len() == 12), "{told}");
    lab.stop();
}

/// A function that makes `calls`, which are refused, in INIT.
fn inner(calls: &Value) -> Lab {
    Lab::serve([Function::judge("one").init(json!([{ "do": "calls", "calls": calls }]))])
}

fn invoke_event_tells_request_deadline_arn_and_trace() {
    let (lab, notes) = watched(Function::judge("one").timeout(5), json!({}));
    let answer = lab.invoke("one", pid());
    let event = notes.wait_for("event", 1).remove(0);
    assert_eq!(event["eventType"], "INVOKE");
    assert_eq!(event["requestId"], answer.header("x-amzn-requestid"));
    assert!(event["invokedFunctionArn"].as_str().unwrap().ends_with(":function:one"), "{event}");
    assert_eq!(event["tracing"]["type"], "X-Amzn-Trace-Id");
    assert!(event["tracing"]["value"].as_str().unwrap().starts_with("Root=1-"), "{event}");
    let note = notes.all().into_iter().find(|note| note.get("event").is_some()).unwrap();
    let left_ms = event["deadlineMs"].as_f64().unwrap() - note["at_ms"].as_f64().unwrap();
    assert!(left_ms > 0.0 && left_ms <= 5001.0, "{left_ms} ms left of 5000");
    assert!(note["headers"]["lambda-extension-event-identifier"].is_string(), "{note}");
    lab.stop();
}

fn extension_without_invoke_gets_no_invoke_event() {
    let (lab, notes) = watched(Function::judge("one"), json!({ "events": ["SHUTDOWN"] }));
    lab.ask("one", pid());
    lab.reports(1);
    lab.retire("one");
    let events = notes.wait_for("event", 1);
    assert!(events.iter().all(|event| event["eventType"] == "SHUTDOWN"), "{events:?}");
    lab.stop();
}

fn shutdown_event_says_spindown() {
    let (lab, notes) = watched(Function::judge("one"), json!({}));
    lab.ask("one", pid());
    lab.reports(1);
    lab.retire("one");
    assert_shutdown(&notes, "spindown");
    lab.stop();
}

fn shutdown_event_says_timeout() {
    let (lab, notes) = watched(Function::judge("one").timeout(1), json!({}));
    lab.invoke("one", json!({ "do": "sleep", "ms": 60_000 }));
    assert_shutdown(&notes, "timeout");
    lab.stop();
}

fn shutdown_event_says_failure() {
    let (lab, notes) = watched(Function::judge("one"), json!({}));
    lab.invoke("one", json!({ "do": "exit", "code": 1 }));
    assert_shutdown(&notes, "failure");
    lab.stop();
}

fn assert_shutdown(notes: &Notes, reason: &str) {
    let event = notes.wait_for("event", 2).remove(1);
    assert_eq!((&event["eventType"], &event["shutdownReason"]), (&json!("SHUTDOWN"), &json!(reason)));
    assert!(event["deadlineMs"].is_number(), "{event}");
}

fn init_lasts_until_the_extension_is_ready() {
    let (lab, _) = watched(Function::judge("one"), json!({ "init": "slow" }));
    lab.ask("one", pid());
    let report = lab.reports(1).remove(0);
    assert!(field(&report, "Init Duration").is_some_and(|init_ms| init_ms >= 300.0), "{report}");
    lab.stop();
}

fn answer_does_not_wait_for_the_extension_but_the_report_does() {
    let (lab, notes) = watched(Function::judge("one").timeout(10), json!({ "on_invoke": 1500 }));
    lab.ask("one", pid());
    assert!(notes.of("slept").is_empty(), "the caller waited for the extension");
    let report = lab.reports(1).remove(0);
    assert!(field(&report, "Duration").is_some_and(|duration_ms| duration_ms >= 1500.0), "{report}");
    lab.stop();
}

fn registration_after_init_is_refused() {
    let lab = Lab::serve([Function::judge("one")]);
    let told = lab.ask("one", json!({ "do": "calls", "calls": [register("late", &["INVOKE"])] }));
    assert_refused(&told[0], "Extension.RegistrationClosed");
    lab.stop();
}

fn unknown_event_type_is_refused() {
    let lab = inner(&json!([register("inner", &["NONSENSE"])]));
    assert_refused(&lab.ask("one", json!({ "do": "noted" }))[0], "Extension.InvalidEventType");
    lab.stop();
}

fn internal_extension_may_not_take_shutdown() {
    let lab = inner(&json!([register("inner", &["SHUTDOWN"])]));
    assert_refused(&lab.ask("one", json!({ "do": "noted" }))[0], "Extension.InvalidEventType");
    lab.stop();
}

fn identifiers_that_are_missing_wrong_or_unknown_are_refused() {
    let lab = Lab::serve([Function::judge("one")]);
    let next = |headers: Value| json!(["GET", NEXT, headers, ""]);
    let unknown = "8286a188-ba32-4475-8077-530cd35c09a9";
    let calls = [
        next(json!({})),
        next(json!({ "Lambda-Extension-Identifier": "none" })),
        next(json!({ "Lambda-Extension-Identifier": unknown })),
    ];
    let told = lab.ask("one", json!({ "do": "calls", "calls": calls }));
    assert_refused(&told[0], "Extension.MissingExtensionIdentifier");
    assert_refused(&told[1], "Extension.InvalidExtensionIdentifier");
    assert_refused(&told[2], "Extension.UnknownExtensionIdentifier");
    lab.stop();
}

fn eleventh_extension_is_refused() {
    let names: Vec<_> = (1..=10).map(|number| format!("extension-{number}")).collect();
    let init = json!([{ "do": "calls", "calls": [register("eleventh", &[])] }]);
    let function = Function::judge("one").memory(1769).init(init);
    let function = names.iter().fold(function, |function, name| function.extension(name, json!({})));
    let lab = Lab::serve([function]);
    assert_refused(&lab.ask("one", json!({ "do": "noted" }))[0], "Extension.TooManyExtensions");
    lab.stop();
}

fn environment_lacks_what_lambda_withholds() {
    let (lab, notes) = watched(Function::judge("one").env("OWN", "kept"), json!({}));
    lab.ask("one", pid());
    let environment = notes.wait_for("environment", 1).remove(0);
    assert_eq!(environment["OWN"], "kept");
    assert!(
        environment["AWS_LAMBDA_RUNTIME_API"].is_string() && environment["AWS_ACCESS_KEY_ID"].is_string()
    );
    for name in
        ["_HANDLER", "AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "LAMBDA_TASK_ROOT", "CARGO_PKG_NAME"]
    {
        assert!(environment[name].is_null(), "{name} is there");
    }
    lab.stop();
}

fn readiness_is_logged() {
    let (lab, _) = watched(Function::judge("one"), json!({}));
    lab.ask("one", pid());
    lab.log_with("EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n");
    lab.stop();
}
