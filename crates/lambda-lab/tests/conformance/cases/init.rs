//! INIT: its time, its limit, its failures and the second try within the first invocation
//! (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>).

use serde_json::{Value, json};

use crate::case::{Case, case};
use crate::support::function::Function;
use crate::support::lab::{Lab, in_dir};
use crate::support::log::field;
use crate::support::processes::runs;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(init, duration_counts_what_runs_before_the_first_next),
        case!(init, only_the_first_invocation_reports_it),
        case!(init, billed_duration_of_a_cold_start_includes_it),
        case!(init, exit_is_tried_again_within_the_first_invocation),
        case!(init, exit_at_both_tries_fails_the_invocation),
        case!(init, over_10_seconds_is_ended_and_tried_again),
        case!(init, hanging_at_both_tries_ends_at_the_function_time_out),
        case!(init, posted_error_is_what_the_caller_gets),
        case!(init, environment_is_lambdas_and_nothing_else),
    ]
}

fn init_reports(lab: &Lab) -> Vec<String> {
    lab.log().lines().filter(|line| line.starts_with("INIT_REPORT ")).map(str::to_owned).collect()
}

fn pid() -> Value {
    json!({ "do": "pid" })
}

fn duration_counts_what_runs_before_the_first_next() {
    let lab = Lab::serve([Function::judge("one").init(json!([{ "do": "sleep", "ms": 200 }]))]);
    lab.ask("one", pid());
    let report = lab.reports(1).remove(0);
    let init_ms = field(&report, "Init Duration").unwrap();
    assert!((200.0..3000.0).contains(&init_ms), "{report}");
    assert!(init_reports(&lab).is_empty(), "a successful on-demand INIT prints no INIT_REPORT");
    crate::case::show(format!("INIT that sleeps 200 ms: Init Duration {init_ms} ms"));
    lab.stop();
}

fn only_the_first_invocation_reports_it() {
    let lab = Lab::serve([Function::judge("one")]);
    lab.ask("one", pid());
    lab.ask("one", pid());
    let reports = lab.reports(2);
    assert!(field(&reports[0], "Init Duration").is_some() && field(&reports[1], "Init Duration").is_none());
    lab.stop();
}

fn billed_duration_of_a_cold_start_includes_it() {
    let lab = Lab::serve([Function::judge("one").init(json!([{ "do": "sleep", "ms": 50 }]))]);
    lab.ask("one", json!({ "do": "sleep", "ms": 20 }));
    let report = lab.reports(1).remove(0);
    let exact_ms = field(&report, "Duration").unwrap() + field(&report, "Init Duration").unwrap();
    let billed_ms = field(&report, "Billed Duration").unwrap();
    // Each of the two is printed rounded to a hundredth.
    assert!(billed_ms >= (exact_ms - 0.01).ceil() && billed_ms <= (exact_ms + 0.01).ceil(), "{report}");
    lab.stop();
}

fn exit_is_tried_again_within_the_first_invocation() {
    let dir = tempfile::tempdir().unwrap();
    let act = json!([{ "do": "exit", "code": 3, "once": in_dir(dir.path(), "left") }]);
    let lab = Lab::serve_in(dir, [Function::judge("one").init(act)], &[]);
    assert!(lab.ask("one", pid()).is_number());
    let reports = init_reports(&lab);
    assert!(
        reports[0].contains("\tPhase: init\tStatus: error\tError Type: Runtime.ExitError"),
        "{reports:?}"
    );
    let report = lab.reports(1).remove(0);
    assert!(report.ends_with("\t\n") && !report.contains("Status:"), "{report:?}");
    lab.stop();
}

fn exit_at_both_tries_fails_the_invocation() {
    let dir = tempfile::tempdir().unwrap();
    let tries = in_dir(dir.path(), "tries");
    let acts = json!([{ "do": "note", "file": tries }, { "do": "exit", "code": 3 }]);
    let lab = Lab::serve_in(dir, [Function::judge("one").init(acts)], &[]);
    let answer = lab.invoke("one", pid());
    assert_eq!((answer.status, answer.header("x-amz-function-error")), (200, "Unhandled"), "{answer:?}");
    let id = answer.header("x-amzn-requestid");
    let message = format!("RequestId: {id} Error: Runtime exited with error: exit status 3");
    assert_eq!(answer.json(), json!({ "errorType": "Runtime.ExitError", "errorMessage": message }));
    let reports = init_reports(&lab);
    assert!(
        reports[0].contains("\tPhase: init\tStatus: error\tError Type: Runtime.ExitError"),
        "{reports:?}"
    );
    assert!(
        reports[1].contains("\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError"),
        "{reports:?}"
    );
    let report = lab.reports(1).remove(0);
    assert!(report.ends_with("\tStatus: error\tError Type: Runtime.ExitError\n"), "{report:?}");
    assert_eq!(std::fs::read_to_string(tries).unwrap().lines().count(), 2, "INIT runs twice, not more");
    lab.stop();
}

fn over_10_seconds_is_ended_and_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let act = json!([{ "do": "sleep", "ms": 60_000, "once": in_dir(dir.path(), "slept") }]);
    let lab = Lab::serve_in(dir, [Function::judge("one").init(act)], &[]);
    assert!(lab.ask("one", pid()).is_number());
    let report = init_reports(&lab).remove(0);
    assert!(report.ends_with("\tPhase: init\tStatus: timeout"), "{report:?}");
    let init_ms = field(&report, "Init Duration").unwrap();
    assert!((10_000.0..13_000.0).contains(&init_ms), "{report}");
    lab.stop();
}

fn hanging_at_both_tries_ends_at_the_function_time_out() {
    let function = Function::judge("one").timeout(1).init(json!([{ "do": "sleep", "ms": 60_000 }]));
    let lab = Lab::serve([function]);
    let answer = lab.invoke("one", pid());
    let id = answer.header("x-amzn-requestid");
    let message = format!("RequestId: {id} Error: Task timed out after 1.00 seconds");
    assert_eq!(answer.json(), json!({ "errorType": "Sandbox.Timedout", "errorMessage": message }));
    let reports = init_reports(&lab);
    assert!(reports[0].ends_with("\tPhase: init\tStatus: timeout"), "{reports:?}");
    assert!(lab.reports(1)[0].contains("\tStatus: timeout"), "{:?}", lab.reports(1));
    lab.stop();
}

fn posted_error_is_what_the_caller_gets() {
    let error =
        json!([{ "do": "init_error", "type": "Runtime.ImportModuleError", "message": "no such module" }]);
    let lab = Lab::serve([Function::judge("one").init(error)]);
    let answer = lab.invoke("one", pid());
    assert_eq!(answer.header("x-amz-function-error"), "Unhandled");
    let expected = json!({ "errorType": "Runtime.ImportModuleError", "errorMessage": "no such module" });
    assert_eq!(answer.json(), expected);
    let reports = init_reports(&lab);
    assert!(
        reports[0].ends_with("\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError"),
        "{reports:?}"
    );
    lab.stop();
}

fn environment_is_lambdas_and_nothing_else() {
    let lab = Lab::serve([Function::judge("one").memory(256).env("OWN", "kept")]);
    let environment = lab.ask("one", json!({ "do": "environment" }));
    let expected = [
        ("AWS_LAMBDA_FUNCTION_NAME", "one"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/one"),
        ("TZ", ":UTC"),
        ("OWN", "kept"),
    ];
    for (name, value) in expected {
        assert_eq!(environment[name], value, "{name}");
    }
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "_HANDLER"]
    {
        assert!(environment[name].is_string(), "{name} is missing");
    }
    assert!(environment["_X_AMZN_TRACE_ID"].is_null(), "the runtime sets it, not the platform");
    for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CONFORMANCE_LIMITS", "HOME", "USER"] {
        assert!(environment[name].is_null(), "{name} leaked from the lab's own environment");
    }
    assert!(runs(&lab.pid()));
    lab.stop();
}
