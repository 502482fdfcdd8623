//! The Invoke API: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>, by plain HTTP and by AWS's own clients.

use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::case::Need::Python;
use crate::case::{Case, case};
use crate::support::function::Function;
use crate::support::lab::Lab;
use crate::support::notes::Notes;
use crate::support::world::{client, own};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(invoke_api, success_tells_the_payload_the_version_and_no_error),
        case!(invoke_api, dry_run_runs_nothing),
        case!(invoke_api, event_is_accepted_with_202_and_runs),
        case!(invoke_api, failed_event_is_tried_three_times_in_all),
        case!(invoke_api, unknown_function_is_answered_resource_not_found),
        case!(invoke_api, payload_that_is_no_json_is_refused),
        case!(invoke_api, function_arn_and_qualifier_name_the_function),
        case!(invoke_api, client_context_reaches_the_function),
        case!(invoke_api, lambda_lab_invoke_prints_the_payload),
        case!(invoke_api, boto3_invokes).needs(&[Python("boto3")]),
        case!(invoke_api, boto3_raises_lambdas_own_exceptions).needs(&[Python("boto3")]),
        case!(invoke_api, aws_cli_invokes).needs(&[Python("awscli")]),
    ]
}

fn one() -> Lab {
    Lab::serve([Function::judge("one").timeout(5)])
}

fn success_tells_the_payload_the_version_and_no_error() {
    let lab = one();
    let answer = lab.invoke("one", json!({ "do": "event", "x": 1 }));
    assert_eq!((answer.status, answer.json()), (200, json!({ "do": "event", "x": 1 })));
    assert_eq!(answer.header("x-amz-executed-version"), "$LATEST");
    assert!(answer.headers.get("x-amz-function-error").is_none(), "{answer:?}");
    lab.stop();
}

fn dry_run_runs_nothing() {
    let lab = one();
    let answer = lab.invoke_with("one", "{}".into(), &[("x-amz-invocation-type", "DryRun")]);
    assert_eq!((answer.status, answer.body.len()), (204, 0), "{answer:?}");
    assert!(lab.log().is_empty(), "something ran");
    lab.stop();
}

fn event_is_accepted_with_202_and_runs() {
    let lab = one();
    let file = lab.path("notes");
    let event = json!({ "do": "note", "file": file }).to_string();
    let answer = lab.invoke_with("one", event.into(), &[("x-amz-invocation-type", "Event")]);
    assert_eq!((answer.status, answer.body.len()), (202, 0), "{answer:?}");
    Notes(file.into()).wait_for("pid", 1);
    lab.stop();
}

fn failed_event_is_tried_three_times_in_all() {
    let options = ["--async-retries", "0,0"];
    let lab = Lab::serve_in(tempfile::tempdir().unwrap(), [Function::judge("one")], &options);
    let event = json!({ "do": "fail", "type": "Function.Judge", "message": "again" }).to_string();
    let answer = lab.invoke_with("one", event.into(), &[("x-amz-invocation-type", "Event")]);
    assert_eq!(answer.status, 202);
    let ids: Vec<_> = lab.records(3).iter().map(|record| record["request_id"].clone()).collect();
    assert!(ids.iter().all(|id| *id == answer.header("x-amzn-requestid")), "one id for all tries: {ids:?}");
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(lab.records(3).len(), 3);
    lab.stop();
}

fn unknown_function_is_answered_resource_not_found() {
    let lab = one();
    let answer = lab.invoke("nobody", json!({}));
    assert_eq!(
        (answer.status, answer.header("x-amzn-errortype")),
        (404, "ResourceNotFoundException"),
        "{answer:?}"
    );
    let message = answer.json()["Message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("Function not found: arn:aws:lambda:"), "{message}");
    lab.stop();
}

fn payload_that_is_no_json_is_refused() {
    let lab = one();
    let answer = lab.invoke_with("one", "{no".into(), &[]);
    assert_eq!(
        (answer.status, answer.header("x-amzn-errortype")),
        (400, "InvalidRequestContentException"),
        "{answer:?}"
    );
    assert!(lab.log().is_empty(), "something ran");
    lab.stop();
}

fn function_arn_and_qualifier_name_the_function() {
    let lab = one();
    let arn =
        lab.ask("one", json!({ "do": "invoked" }))["headers"]["lambda-runtime-invoked-function-arn"].clone();
    for name in [arn.as_str().unwrap(), "123456789012:function:one", "one:$LATEST"] {
        assert!(lab.ask(&name.replace('$', "%24"), json!({ "do": "pid" })).is_number(), "{name}");
    }
    lab.stop();
}

fn client_context_reaches_the_function() {
    let lab = one();
    let context = STANDARD.encode(json!({ "custom": { "x": "1" } }).to_string());
    let event = json!({ "do": "invoked" }).to_string();
    let answer = lab.invoke_with("one", event.into(), &[("x-amz-client-context", &context)]);
    let passed = answer.json()["headers"]["lambda-runtime-client-context"].as_str().unwrap().to_owned();
    let passed: Value = serde_json::from_str(&passed).unwrap();
    assert_eq!(passed["custom"]["x"], "1");
    lab.stop();
}

fn run(command: &mut Command) -> Output {
    let keys = [
        ("AWS_ACCESS_KEY_ID", "judge"),
        ("AWS_SECRET_ACCESS_KEY", "judge"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ];
    let output =
        command.envs(keys).env("AWS_MAX_ATTEMPTS", "1").env("AWS_CONFIG_FILE", "/dev/null").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    output
}

fn lambda_lab_invoke_prints_the_payload() {
    let lab = one();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lambda-lab"));
    command.args(["invoke", "one", "--payload", r#"{"do":"event"}"#, "--endpoint-url", &lab.endpoint()]);
    let printed: Value = serde_json::from_slice(&run(&mut command).stdout).unwrap();
    assert_eq!(printed, json!({ "do": "event" }));
    lab.stop();
}

fn boto3(lab: &Lab, steps: &str) {
    let mut command = Command::new(client("venv/bin/python"));
    run(command.arg(own("clients/boto3_invoke.py")).args([&lab.endpoint(), steps]));
}

fn boto3_invokes() {
    let lab = one();
    boto3(&lab, "invoke");
    lab.stop();
}

fn boto3_raises_lambdas_own_exceptions() {
    let lab = Lab::serve([Function::judge("one"), Function::judge("off").reserved(0)]);
    boto3(&lab, "exceptions");
    lab.stop();
}

fn aws_cli_invokes() {
    let lab = one();
    let file = lab.path("answer");
    let mut command = Command::new(client("venv/bin/python"));
    command.arg(client("venv/bin/aws")).args(["lambda", "invoke", "--endpoint-url", &lab.endpoint()]);
    command.args(["--function-name", "one", "--payload", r#"{"do":"event"}"#, "--log-type", "Tail", &file]);
    let told: Value = serde_json::from_slice(&run(&mut command).stdout).unwrap();
    assert_eq!((&told["StatusCode"], &told["ExecutedVersion"]), (&json!(200), &json!("$LATEST")), "{told}");
    let log = String::from_utf8(STANDARD.decode(told["LogResult"].as_str().unwrap()).unwrap()).unwrap();
    assert!(log.contains("REPORT RequestId: "), "{log}");
    let printed: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(printed, json!({ "do": "event" }));
    lab.stop();
}
