//! Invocations that go wrong: time-outs, exits, signals, and functions that mistreat what they are given.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::case::Need::Strays;
use crate::case::{Case, case};
use crate::support::function::Function;
use crate::support::http::Answer;
use crate::support::lab::Lab;
use crate::support::processes::{kill_from_outside, runs};
use crate::support::wait::until;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(faults, time_out_ends_the_invocation_at_its_limit),
        case!(faults, time_out_resets_the_environment),
        case!(faults, exit_fails_the_invocation_and_the_sandbox_is_replaced),
        case!(faults, exit_with_status_0_is_an_error_too),
        case!(faults, death_by_a_signal_is_told_by_its_name),
        case!(faults, exit_after_the_response_costs_the_caller_nothing),
        case!(faults, sandbox_killed_while_idle_is_replaced_without_a_lost_request),
        case!(faults, child_left_behind_ends_with_the_sandbox),
        case!(faults, child_left_behind_ends_with_a_time_out),
        case!(faults, child_in_a_session_of_its_own_ends_with_the_sandbox).needs(&[Strays]),
        case!(faults, function_that_closes_its_output_serves_on),
        case!(faults, payload_over_6_mb_is_refused_before_the_function),
        case!(faults, nonsense_at_the_runtime_api_harms_nobody),
    ]
}

fn one() -> Lab {
    Lab::serve([Function::judge("one").timeout(2)])
}

fn pid(lab: &Lab) -> Value {
    lab.ask("one", json!({ "do": "pid" }))
}

fn assert_failed(answer: &Answer, error_type: &str, error: &str) {
    assert_eq!((answer.status, answer.header("x-amz-function-error")), (200, "Unhandled"), "{answer:?}");
    let message = format!("RequestId: {} Error: {error}", answer.header("x-amzn-requestid"));
    assert_eq!(answer.json(), json!({ "errorType": error_type, "errorMessage": message }));
}

fn time_out_ends_the_invocation_at_its_limit() {
    let lab = one();
    pid(&lab);
    let answer = lab.invoke("one", json!({ "do": "sleep", "ms": 60_000 }));
    assert_failed(&answer, "Sandbox.Timedout", "Task timed out after 2.00 seconds");
    let report = lab.reports(2).remove(1);
    assert!(report.contains("\tDuration: 2000.00 ms\t"), "{report}");
    assert!(report.contains("\tBilled Duration: 2000 ms\t"), "{report}");
    assert!(report.ends_with("\tStatus: timeout\n"), "{report:?}");
    lab.stop();
}

fn time_out_resets_the_environment() {
    let lab = one();
    let first = pid(&lab);
    lab.invoke("one", json!({ "do": "sleep", "ms": 60_000 }));
    let second = pid(&lab);
    assert_ne!(first, second);
    until("the old process to be gone", || (!runs(&first)).then_some(()));
    lab.stop();
}

fn exit_fails_the_invocation_and_the_sandbox_is_replaced() {
    let lab = one();
    let first = pid(&lab);
    let answer = lab.invoke("one", json!({ "do": "exit", "code": 7 }));
    assert_failed(&answer, "Runtime.ExitError", "Runtime exited with error: exit status 7");
    let told = format!(
        "RequestId: {} Error: Runtime exited with error: exit status 7\n",
        answer.header("x-amzn-requestid")
    );
    lab.log_with(&told);
    let report = lab.reports(2).remove(1);
    assert!(report.ends_with("\tStatus: error\tError Type: Runtime.ExitError\n"), "{report:?}");
    assert_ne!(pid(&lab), first);
    lab.stop();
}

fn exit_with_status_0_is_an_error_too() {
    let lab = one();
    let answer = lab.invoke("one", json!({ "do": "exit", "code": 0 }));
    assert_failed(&answer, "Runtime.ExitError", "Runtime exited without providing a reason");
    lab.stop();
}

fn death_by_a_signal_is_told_by_its_name() {
    let lab = one();
    let answer = lab.invoke("one", json!({ "do": "signal", "number": 15 }));
    assert_failed(&answer, "Runtime.ExitError", "Runtime exited with error: signal: terminated");
    lab.stop();
}

fn exit_after_the_response_costs_the_caller_nothing() {
    let lab = one();
    let first = pid(&lab);
    assert_eq!(lab.ask("one", json!({ "do": "exit_after_response", "code": 9 })), "answered");
    assert_ne!(pid(&lab), first);
    lab.stop();
}

fn sandbox_killed_while_idle_is_replaced_without_a_lost_request() {
    let lab = one();
    let first = pid(&lab);
    lab.reports(1);
    kill_from_outside(&first);
    until("the process to be gone", || (!runs(&first)).then_some(()));
    assert_ne!(pid(&lab), first);
    lab.stop();
}

fn child_left_behind_ends_with_the_sandbox() {
    assert_child_ends(false);
}

fn child_in_a_session_of_its_own_ends_with_the_sandbox() {
    assert_child_ends(true);
}

fn assert_child_ends(session: bool) {
    let lab = one();
    let child = lab.ask("one", json!({ "do": "leave_child", "file": lab.path("count"), "session": session }));
    assert!(runs(&child));
    lab.reports(1);
    assert_eq!(lab.retire("one"), 1);
    until("the child to be gone", || (!runs(&child)).then_some(()));
    lab.stop();
}

fn child_left_behind_ends_with_a_time_out() {
    let lab = one();
    let child = lab.ask("one", json!({ "do": "leave_child", "file": lab.path("count") }));
    lab.invoke("one", json!({ "do": "sleep", "ms": 60_000 }));
    until("the child to be gone", || (!runs(&child)).then_some(()));
    lab.stop();
}

fn function_that_closes_its_output_serves_on() {
    let lab = one();
    assert_eq!(lab.ask("one", json!({ "do": "close_output" })), "closed");
    assert!(pid(&lab).is_number());
    assert_eq!(lab.reports(2).len(), 2);
    lab.stop();
}

fn payload_over_6_mb_is_refused_before_the_function() {
    let lab = one();
    let payload = Bytes::from(format!("\"{}\"", "x".repeat(7 * 1024 * 1024)));
    let answer = lab.invoke_with("one", payload, &[]);
    assert_eq!((answer.status, answer.header("x-amzn-errortype")), (413, "RequestEntityTooLargeException"));
    assert!(lab.log().is_empty(), "nothing ran");
    lab.stop();
}

fn nonsense_at_the_runtime_api_harms_nobody() {
    use std::io::Write as _;
    let lab = one();
    let environment = lab.ask("one", json!({ "do": "environment" }));
    let address = environment["AWS_LAMBDA_RUNTIME_API"].as_str().unwrap();
    for nonsense in
        ["\0\0\0\0", "GET / HTTP/9.9\r\n\r\n", "POST /2018-06-01/runtime/invocation//response HTTP/1.1\r\n"]
    {
        let mut connection = std::net::TcpStream::connect(address).unwrap();
        connection.write_all(nonsense.as_bytes()).unwrap();
    }
    let before = pid(&lab);
    assert_eq!(pid(&lab), before);
    lab.stop();
}
