//! Extensions that fail: each costs what it costs on AWS, and nothing outlives it.

use serde_json::{Value, json};

use super::extensions::watched;
use crate::case::{Case, case};
use crate::support::function::Function;
use crate::support::lab::Lab;
use crate::support::processes::runs;
use crate::support::wait::until;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(extension_faults, exit_before_registering_fails_init),
        case!(extension_faults, crash_in_init_fails_the_invocation),
        case!(extension_faults, posted_init_error_fails_the_invocation),
        case!(extension_faults, never_registering_ends_at_the_limits_of_init_and_function),
        case!(extension_faults, exit_while_invoked_is_a_crash_and_the_sandbox_is_replaced),
        case!(extension_faults, never_ready_again_answers_the_caller_and_times_out),
    ]
}

fn pid() -> Value {
    json!({ "do": "pid" })
}

/// Invokes a function whose extension fails in INIT as `init` says; the payload of the error.
fn failure_of(init: &str) -> (Lab, Value) {
    let (lab, _) = watched(Function::judge("one"), json!({ "init": init }));
    let answer = lab.invoke("one", pid());
    assert_eq!((answer.status, answer.header("x-amz-function-error")), (200, "Unhandled"), "{answer:?}");
    (lab, answer.json())
}

fn exit_before_registering_fails_init() {
    let (lab, error) = failure_of("exit");
    assert_eq!(error["errorType"], "Extension.Crash", "{error}");
    lab.log_with("\tPhase: init\tStatus: error\tError Type: Extension.Crash\n");
    lab.stop();
}

fn crash_in_init_fails_the_invocation() {
    let (lab, error) = failure_of("crash");
    assert_eq!(error["errorType"], "Extension.Crash", "{error}");
    lab.stop();
}

fn posted_init_error_fails_the_invocation() {
    let (lab, error) = failure_of("error");
    assert_eq!(error["errorType"], "Extension.InitError", "{error}");
    lab.stop();
}

fn never_registering_ends_at_the_limits_of_init_and_function() {
    let (lab, _) = watched(Function::judge("one").timeout(1), json!({ "init": "hang" }));
    let answer = lab.invoke("one", pid());
    assert_eq!(answer.json()["errorType"], "Sandbox.Timedout", "{answer:?}");
    lab.log_with("\tPhase: init\tStatus: timeout\n");
    lab.stop();
}

fn exit_while_invoked_is_a_crash_and_the_sandbox_is_replaced() {
    let (lab, notes) = watched(Function::judge("one").timeout(5), json!({ "on_invoke": "exit" }));
    let answer = lab.invoke("one", json!({ "do": "sleep", "ms": 2000 }));
    assert_eq!(answer.json()["errorType"], "Extension.Crash", "{answer:?}");
    let report = lab.reports(1).remove(0);
    assert!(report.ends_with("\tStatus: error\tError Type: Extension.Crash\n"), "{report:?}");
    lab.invoke("one", pid());
    let pids = notes.wait_for("pid", 2);
    assert_ne!(pids[0], pids[1], "a new sandbox has a new extension");
    lab.stop();
}

fn never_ready_again_answers_the_caller_and_times_out() {
    let (lab, notes) = watched(Function::judge("one").timeout(3), json!({ "on_invoke": "hang" }));
    let first = lab.ask("one", pid());
    let report = lab.reports(1).remove(0);
    assert!(
        report.contains("\tDuration: 3000.00 ms\t") && report.ends_with("\tStatus: timeout\n"),
        "{report:?}"
    );
    let extension = notes.wait_for("pid", 1).remove(0);
    until("the extension to be gone", || (!runs(&extension)).then_some(()));
    assert_ne!(lab.ask("one", pid()), first);
    lab.stop();
}
