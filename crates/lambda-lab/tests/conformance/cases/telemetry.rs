//! The Telemetry API: <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html> and its schema reference.

use serde_json::{Value, json};

use super::extensions::watched;
use crate::case::{Case, case};
use crate::support::function::Function;
use crate::support::lab::Lab;
use crate::support::notes::Notes;
use crate::support::wait::until;

const TELEMETRY: &str = "/2022-07-01/telemetry";

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(telemetry, subscription_is_answered_ok),
        case!(telemetry, events_of_init_and_invocation_arrive_in_order),
        case!(telemetry, records_carry_what_the_schema_says),
        case!(telemetry, report_arrives_at_the_next_thaw),
        case!(telemetry, last_report_arrives_at_shutdown),
        case!(telemetry, function_output_is_delivered_a_line_an_event),
        case!(telemetry, types_that_were_not_asked_for_do_not_arrive),
        case!(telemetry, time_out_is_told_as_status_timeout),
        case!(telemetry, subscription_after_init_is_refused),
        case!(telemetry, subscription_with_impossible_buffering_is_refused),
        case!(telemetry, subscription_without_a_known_identifier_is_refused),
    ]
}

fn subscription(types: &[&str]) -> Value {
    let buffering = json!({ "maxItems": 1000, "maxBytes": 262_144, "timeoutMs": 25 });
    json!({ "schemaVersion": "2022-12-13", "types": types, "buffering": buffering })
}

fn subscribed(function: Function, types: &[&str]) -> (Lab, Notes) {
    watched(function, json!({ "telemetry": subscription(types) }))
}

fn pid() -> Value {
    json!({ "do": "pid" })
}

/// The events so far, once there is one of type `last`.
fn events_with(notes: &Notes, last: &str) -> Vec<Value> {
    until(&format!("{last} in {:?}", notes.telemetry_types()), || {
        notes.telemetry_types().iter().any(|one| one == last).then(|| notes.telemetry())
    })
}

fn record<'a>(events: &'a [Value], of: &str) -> &'a Value {
    let found = events.iter().find(|event| event["type"] == of);
    &found.unwrap_or_else(|| panic!("no {of} in {events:?}"))["record"]
}

/// Lets time pass inside the sandbox, so that its listener is thawed while the platform delivers.
fn let_deliver(lab: &Lab) {
    lab.ask("one", json!({ "do": "sleep", "ms": 300 }));
}

fn subscription_is_answered_ok() {
    let (lab, notes) = subscribed(Function::judge("one"), &["platform"]);
    lab.ask("one", pid());
    let told = notes.wait_for("subscribed", 1).remove(0);
    assert_eq!((&told["status"], told["body"].as_str().unwrap().trim()), (&json!(200), "\"OK\""), "{told}");
    lab.stop();
}

fn events_of_init_and_invocation_arrive_in_order() {
    let (lab, notes) = subscribed(Function::judge("one"), &["platform"]);
    lab.ask("one", pid());
    let_deliver(&lab);
    events_with(&notes, "platform.report");
    let types = notes.telemetry_types();
    let place =
        |of: &str| types.iter().position(|one| one == of).unwrap_or_else(|| panic!("no {of} in {types:?}"));
    let order = ["initStart", "initRuntimeDone", "initReport", "start", "runtimeDone", "report"];
    let places: Vec<_> = order.iter().map(|of| place(&format!("platform.{of}"))).collect();
    assert!(places.is_sorted(), "{types:?}");
    for of in ["platform.telemetrySubscription", "platform.extension"] {
        assert!(place(of) < place("platform.initReport"), "{types:?}");
    }
    lab.stop();
}

fn records_carry_what_the_schema_says() {
    let (lab, notes) = subscribed(Function::judge("one").memory(256), &["platform"]);
    // Lambda tells of tracing only where the request is sampled.
    let sampled = [("x-amzn-trace-id", "Root=1-5e1b4151-43a0913a1234567890123456;Sampled=1")];
    let answer = lab.invoke_with("one", pid().to_string().into(), &sampled);
    let id = answer.header("x-amzn-requestid").to_owned();
    let_deliver(&lab);
    let events = events_with(&notes, "platform.report");
    assert!(events.iter().all(|event| event["time"].as_str().is_some_and(|time| time.ends_with('Z'))));
    let init = record(&events, "platform.initStart");
    assert_eq!((&init["initializationType"], &init["phase"]), (&json!("on-demand"), &json!("init")));
    assert_eq!(record(&events, "platform.initRuntimeDone")["status"], "success");
    assert!(record(&events, "platform.initReport")["metrics"]["durationMs"].as_f64().unwrap() > 0.0);
    assert_eq!(record(&events, "platform.extension")["name"], "watcher");
    let start = record(&events, "platform.start");
    assert_eq!((&start["requestId"], &start["version"]), (&json!(id), &json!("$LATEST")));
    assert_eq!(start["tracing"]["type"], "X-Amzn-Trace-Id");
    let done = record(&events, "platform.runtimeDone");
    assert_eq!((&done["requestId"], &done["status"]), (&json!(id), &json!("success")));
    assert!(done["metrics"]["producedBytes"].is_u64() && done["metrics"]["durationMs"].is_number(), "{done}");
    let spans: Vec<_> = done["spans"].as_array().unwrap().iter().map(|span| &span["name"]).collect();
    assert_eq!(spans[..2], ["responseLatency", "responseDuration"]);
    let report = record(&events, "platform.report");
    let metrics = &report["metrics"];
    assert_eq!((&report["requestId"], &metrics["memorySizeMB"]), (&json!(id), &json!(256)));
    assert!(
        metrics["billedDurationMs"].is_u64() && metrics["maxMemoryUsedMB"].as_u64().unwrap() > 0,
        "{metrics}"
    );
    assert!(metrics["initDurationMs"].is_number(), "a cold start: {metrics}");
    lab.stop();
}

fn report_arrives_at_the_next_thaw() {
    let (lab, notes) = subscribed(Function::judge("one"), &["platform"]);
    let_deliver(&lab);
    lab.reports(1);
    // It is written when the sandbox is about to be frozen, and a frozen listener receives nothing.
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(
        !notes.telemetry_types().contains(&"platform.report".to_owned()),
        "{:?}",
        notes.telemetry_types()
    );
    let_deliver(&lab);
    events_with(&notes, "platform.report");
    lab.stop();
}

fn last_report_arrives_at_shutdown() {
    let (lab, notes) = subscribed(Function::judge("one"), &["platform"]);
    lab.ask("one", pid());
    lab.reports(1);
    lab.retire("one");
    assert!(notes.telemetry_types().contains(&"platform.report".to_owned()), "{:?}", notes.telemetry_types());
    lab.stop();
}

fn function_output_is_delivered_a_line_an_event() {
    let (lab, notes) = subscribed(Function::judge("one"), &["function"]);
    lab.ask("one", json!({ "do": "say", "text": "first line\nsecond line\n" }));
    let_deliver(&lab);
    let events = until("two lines", || Some(notes.telemetry()).filter(|events| events.len() >= 2));
    assert!(events.iter().all(|event| event["type"] == "function"), "{events:?}");
    let lines: Vec<_> = events.iter().map(|event| event["record"].as_str().unwrap().trim_end()).collect();
    assert_eq!(lines[..2], ["first line", "second line"]);
    lab.stop();
}

fn types_that_were_not_asked_for_do_not_arrive() {
    let (lab, notes) = subscribed(Function::judge("one"), &["platform"]);
    lab.ask("one", json!({ "do": "say", "text": "not for you\n" }));
    let_deliver(&lab);
    events_with(&notes, "platform.report");
    assert!(
        notes.telemetry_types().iter().all(|one| one.starts_with("platform.")),
        "{:?}",
        notes.telemetry_types()
    );
    lab.stop();
}

fn time_out_is_told_as_status_timeout() {
    let (lab, notes) = subscribed(Function::judge("one").timeout(1), &["platform"]);
    lab.invoke("one", json!({ "do": "sleep", "ms": 60_000 }));
    let events = events_with(&notes, "platform.runtimeDone");
    assert_eq!(record(&events, "platform.runtimeDone")["status"], "timeout");
    let events = events_with(&notes, "platform.report");
    assert_eq!(record(&events, "platform.report")["status"], "timeout");
    lab.stop();
}

/// What the API answers to an extension that makes `call` after it has registered.
fn told_after_registering(call: &Value) -> (u64, Value) {
    let (lab, notes) = watched(Function::judge("one"), json!({ "after": [call] }));
    lab.ask("one", pid());
    let note = notes.all().into_iter().find(|note| note.get("called").is_some()).unwrap();
    lab.stop();
    let body = serde_json::from_str(note["body"].as_str().unwrap()).unwrap_or(Value::Null);
    (note["status"].as_u64().unwrap(), body)
}

fn destination(mut subscription: Value) -> Value {
    subscription["destination"] = json!({ "protocol": "HTTP", "URI": "http://sandbox.localdomain:4243" });
    subscription
}

fn subscription_after_init_is_refused() {
    let config = json!({ "late": [["PUT", TELEMETRY, {}, destination(subscription(&["platform"]))]] });
    let (lab, notes) = watched(Function::judge("one"), config);
    lab.ask("one", pid());
    let note =
        until("the late call's answer", || notes.all().into_iter().find(|note| note.get("called").is_some()));
    assert_eq!(note["status"], 403, "{note}");
    assert!(note["body"].as_str().unwrap().contains("Telemetry.SubscriptionClosed"), "{note}");
    lab.stop();
}

fn subscription_with_impossible_buffering_is_refused() {
    let mut wrong = destination(subscription(&["platform"]));
    wrong["buffering"]["maxItems"] = json!(10);
    let (status, body) = told_after_registering(&json!(["PUT", TELEMETRY, {}, wrong]));
    assert_eq!((status, &body["errorType"]), (400, &json!("ValidationError")), "{body}");
}

fn subscription_without_a_known_identifier_is_refused() {
    let headers = json!({ "Lambda-Extension-Identifier": "8286a188-ba32-4475-8077-530cd35c09a9" });
    let call = json!(["PUT", TELEMETRY, headers, destination(subscription(&["platform"]))]);
    let (status, body) = told_after_registering(&call);
    assert_eq!((status, &body["errorType"]), (403, &json!("Extension.UnknownExtensionIdentifier")), "{body}");
}
