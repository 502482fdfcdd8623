//! Scale-out, reserved and provisioned concurrency
//! (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html>).

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::case::{Case, case};
use crate::support::function::Function;
use crate::support::http::at_once;
use crate::support::lab::{Lab, in_dir};
use crate::support::notes::Notes;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(concurrency, requests_at_once_get_a_sandbox_each),
        case!(concurrency, requests_in_a_row_share_one_sandbox),
        case!(concurrency, burst_loses_no_request),
        case!(concurrency, over_the_reserved_concurrency_the_invoke_api_answers_429),
        case!(concurrency, over_the_reserved_concurrency_the_http_api_answers_503),
        case!(concurrency, reserved_concurrency_of_0_switches_the_function_off),
        case!(concurrency, provisioned_sandboxes_are_initialized_before_the_first_request),
        case!(concurrency, provisioned_sandbox_serves_without_init_in_its_report),
        case!(concurrency, over_the_provisioned_concurrency_requests_spill_over_to_on_demand),
    ]
}

fn nap() -> Value {
    json!({ "do": "sleep", "ms": 1500 })
}

fn requests_at_once_get_a_sandbox_each() {
    let lab = Lab::serve([Function::judge("one").timeout(20)]);
    at_once(3, |_| lab.ask("one", nap()));
    let records = lab.records(3);
    let sandboxes: BTreeSet<_> = records.iter().map(|record| record["sandbox"].to_string()).collect();
    assert_eq!(sandboxes.len(), 3, "{records:?}");
    lab.stop();
}

fn requests_in_a_row_share_one_sandbox() {
    let lab = Lab::serve([Function::judge("one")]);
    let pids: BTreeSet<_> = (0..10).map(|_| lab.ask("one", json!({ "do": "pid" })).to_string()).collect();
    assert_eq!(pids.len(), 1);
    lab.stop();
}

fn burst_loses_no_request() {
    let lab = Lab::serve([Function::judge("one").timeout(30)]);
    let statuses = at_once(40, |_| lab.post("one", json!({ "do": "sleep", "ms": 50 })).status);
    assert_eq!(statuses, [200; 40]);
    lab.stop();
}

/// A lab whose function may have one sandbox, which is busy while `meanwhile` runs.
fn with_one_busy<T>(meanwhile: impl FnOnce(&Lab) -> T) -> T {
    let lab = Lab::serve([Function::judge("one").reserved(1).timeout(20)]);
    lab.ask("one", json!({ "do": "pid" }));
    lab.reports(1);
    let found = std::thread::scope(|scope| {
        let busy = scope.spawn(|| lab.ask("one", nap()));
        lab.log_with_count("START RequestId", 2);
        let found = meanwhile(&lab);
        busy.join().unwrap();
        found
    });
    lab.stop();
    found
}

fn over_the_reserved_concurrency_the_invoke_api_answers_429() {
    let answer = with_one_busy(|lab| lab.invoke("one", json!({ "do": "pid" })));
    assert_eq!(
        (answer.status, answer.header("x-amzn-errortype")),
        (429, "TooManyRequestsException"),
        "{answer:?}"
    );
    let expected = json!({ "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded", "Type": "User" });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&answer.json()[key], value, "{answer:?}");
    }
}

fn over_the_reserved_concurrency_the_http_api_answers_503() {
    let answer = with_one_busy(|lab| lab.post("one", json!({ "do": "pid" })));
    assert_eq!((answer.status, answer.json()), (503, json!({ "message": "Service Unavailable" })));
}

fn reserved_concurrency_of_0_switches_the_function_off() {
    let lab = Lab::serve([Function::judge("one").reserved(0)]);
    assert_eq!(lab.invoke("one", json!({ "do": "pid" })).status, 429);
    assert_eq!(lab.post("one", json!({ "do": "pid" })).status, 503);
    assert!(lab.log().is_empty(), "nothing ran");
    lab.stop();
}

/// A lab whose function has two provisioned sandboxes, each of which notes its INIT; and the notes.
fn provisioned() -> (Lab, Notes) {
    let dir = tempfile::tempdir().unwrap();
    let file = in_dir(dir.path(), "notes");
    let init = json!([{ "do": "note", "file": file }]);
    let function = Function::judge("one").timeout(20).provisioned(2).init(init);
    let notes = Notes(dir.path().join("notes"));
    (Lab::serve_in(dir, [function], &[]), notes)
}

fn provisioned_sandboxes_are_initialized_before_the_first_request() {
    let (lab, notes) = provisioned();
    let environments = notes.wait_for("env", 2);
    for environment in &environments {
        assert_eq!(environment["AWS_LAMBDA_INITIALIZATION_TYPE"], "provisioned-concurrency");
    }
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(notes.of("env").len(), 2, "two were asked for");
    lab.log_with("\tPhase: init");
    lab.stop();
}

fn provisioned_sandbox_serves_without_init_in_its_report() {
    let (lab, notes) = provisioned();
    let pids: Vec<_> = notes.wait_for("pid", 2);
    let pid = lab.ask("one", json!({ "do": "pid" }));
    assert!(pids.contains(&pid), "{pid} is none of {pids:?}");
    let report = lab.reports(1).remove(0);
    assert!(!report.contains("Init Duration"), "{report}");
    lab.stop();
}

fn over_the_provisioned_concurrency_requests_spill_over_to_on_demand() {
    let (lab, notes) = provisioned();
    notes.wait_for("env", 2);
    at_once(3, |_| lab.ask("one", nap()));
    let types: Vec<_> =
        notes.of("env").iter().map(|env| env["AWS_LAMBDA_INITIALIZATION_TYPE"].to_string()).collect();
    assert!(types.len() == 3 && types[2] == "\"on-demand\"", "{types:?}");
    lab.stop();
}
