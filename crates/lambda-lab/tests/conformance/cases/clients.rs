//! Runtime clients and extensions that are not ours, unchanged: AWS's for Rust, Python and Node.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::case::Need::{Node, Python};
use crate::case::{Case, case};
use crate::support::function::Function;
use crate::support::lab::{Lab, in_dir};
use crate::support::world::{client, own};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(clients, lambda_runtime_serves),
        case!(clients, lambda_runtime_shuts_down_gracefully),
        case!(clients, lambda_extension_gets_its_events),
        case!(clients, lambda_extension_reads_all_telemetry),
        case!(clients, awslambdaric_serves).needs(&[Python("awslambdaric")]),
        case!(clients, awslambdaric_reports_errors).needs(&[Python("awslambdaric")]),
        case!(clients, awslambdaric_reports_import_errors_in_init).needs(&[Python("awslambdaric")]),
        case!(clients, aws_lambda_ric_for_node_serves).needs(&[Node]),
        case!(clients, aws_lambda_ric_for_node_reports_errors).needs(&[Node]),
    ]
}

/// An example of this crate, built by scripts/conformance.
fn example(name: &str) -> PathBuf {
    let lab = PathBuf::from(env!("CARGO_BIN_EXE_lambda-lab"));
    let path = lab.parent().unwrap().join("examples").join(name);
    assert!(path.is_file(), "{} is not built: cargo build -p lambda-lab --examples", path.display());
    path
}

fn python() -> Function {
    let program = client("venv/bin/python");
    Function::line("one", format!("{} -B -m awslambdaric handlers.handler", program.display()))
        .file(own("clients/handlers.py"))
        .memory(512)
        .timeout(10)
}

fn node() -> Function {
    let program = client("node/node_modules/aws-lambda-ric/index.mjs");
    let found = std::env::var_os("PATH").unwrap_or_default();
    let node = std::env::split_paths(&found).map(|dir| dir.join("node")).find(|file| file.is_file()).unwrap();
    Function::line("one", format!("env _HANDLER=handlers.handler {} {}", node.display(), program.display()))
        .file(own("clients/handlers.mjs"))
        .memory(512)
        .timeout(10)
}

/// What a handler of clients/ must have been told.
fn assert_serves(lab: &Lab) {
    let trace = ("x-amzn-trace-id", "Root=1-5e1b4151-43a0913a1234567890123456;Sampled=1");
    for _ in 0..3 {
        let answer = lab.invoke_with("one", r#"{"n":1}"#.into(), &[trace]);
        let told = answer.json();
        assert_eq!(told["event"], json!({ "n": 1 }), "{answer:?}");
        assert_eq!(told["request_id"], answer.header("x-amzn-requestid"));
        assert_eq!(
            (&told["function"], told["memory_mb"].to_string().replace('"', "")),
            (&json!("one"), "512".into())
        );
        assert!(told["arn"].as_str().unwrap().ends_with(":function:one"), "{told}");
        let remaining_ms = told["remaining_ms"].as_f64().unwrap();
        assert!(remaining_ms > 0.0 && remaining_ms <= 10_001.0, "{told}");
        assert!(
            told["trace"].as_str().unwrap().starts_with("Root=1-5e1b4151-43a0913a1234567890123456"),
            "{told}"
        );
    }
    lab.reports(3);
    assert_eq!(lab.log().matches("said by the handler").count(), 3, "{}", lab.log());
}

fn assert_reports_error(lab: &Lab, error_type: &str) {
    let answer = lab.invoke("one", json!({ "fail": true }));
    assert_eq!((answer.status, answer.header("x-amz-function-error")), (200, "Unhandled"), "{answer:?}");
    let error = answer.json();
    assert_eq!((&error["errorType"], &error["errorMessage"]), (&json!(error_type), &json!("as asked")));
    assert!(lab.ask("one", json!({}))["event"].is_object(), "the sandbox serves on");
}

fn awslambdaric_serves() {
    let lab = Lab::serve([python()]);
    assert_serves(&lab);
    lab.stop();
}

fn awslambdaric_reports_errors() {
    let lab = Lab::serve([python()]);
    assert_reports_error(&lab, "ValueError");
    lab.stop();
}

fn awslambdaric_reports_import_errors_in_init() {
    let program = client("venv/bin/python");
    let line = format!("{} -B -m awslambdaric nowhere.handler", program.display());
    let lab = Lab::serve([Function::line("one", line).memory(512).timeout(10)]);
    let answer = lab.invoke("one", json!({}));
    assert_eq!(answer.header("x-amz-function-error"), "Unhandled");
    assert_eq!(answer.json()["errorType"], "Runtime.ImportModuleError", "{answer:?}");
    lab.log_with("\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError\n");
    lab.stop();
}

fn aws_lambda_ric_for_node_serves() {
    let lab = Lab::serve([node()]);
    assert_serves(&lab);
    lab.stop();
}

fn aws_lambda_ric_for_node_reports_errors() {
    let lab = Lab::serve([node()]);
    assert_reports_error(&lab, "RangeError");
    lab.stop();
}

fn probe() -> Function {
    Function::program("one", &example("probe")).timeout(5)
}

fn path(path: &str) -> Value {
    json!({ "rawPath": path })
}

fn lambda_runtime_serves() {
    let lab = Lab::serve([probe()]);
    let pids: Vec<_> = (0..3).map(|_| lab.ask("one", path("/pid"))["body"].clone()).collect();
    assert!(pids.iter().all(|pid| *pid == pids[0]), "{pids:?}");
    let left = lab.ask("one", path("/deadline"))["body"].as_str().unwrap().parse::<u64>().unwrap();
    assert!(left <= 5000, "{left} ms left of 5000");
    let failed = lab.invoke("one", path("/fail"));
    assert_eq!(failed.header("x-amz-function-error"), "Unhandled");
    assert_eq!(failed.json()["errorMessage"], "asked to fail");
    lab.stop();
}

fn lambda_runtime_shuts_down_gracefully() {
    let dir = tempfile::tempdir().unwrap();
    let file = in_dir(dir.path(), "terminated");
    let lab = Lab::serve_in(dir, [probe().env("PROBE_TERMINATED", &file)], &[]);
    lab.ask("one", path("/pid"));
    lab.reports(1);
    lab.retire("one");
    assert!(std::path::Path::new(&file).exists(), "lambda_runtime's own helper got no SIGTERM");
    lab.stop();
}

fn lambda_extension_gets_its_events() {
    let dir = tempfile::tempdir().unwrap();
    let file = in_dir(dir.path(), "events");
    let function = probe().real_extension(&example("probe_extension")).env("PROBE_EVENTS", &file);
    let lab = Lab::serve_in(dir, [function], &[]);
    let id = lab.invoke("one", path("/pid")).header("x-amzn-requestid").to_owned();
    lab.reports(1);
    lab.retire("one");
    assert_eq!(std::fs::read_to_string(file).unwrap(), format!("INVOKE {id}\nSHUTDOWN spindown\n"));
    lab.stop();
}

fn lambda_extension_reads_all_telemetry() {
    let dir = tempfile::tempdir().unwrap();
    let file = in_dir(dir.path(), "telemetry");
    let function = probe().real_extension(&example("probe_telemetry")).env("PROBE_TELEMETRY", &file);
    let lab = Lab::serve_in(dir, [function], &[]);
    lab.ask("one", path("/sleep/300"));
    lab.ask("one", path("/sleep/300"));
    lab.reports(2);
    lab.retire("one");
    let words = std::fs::read_to_string(file).unwrap();
    for word in
        ["PlatformInitStart", "PlatformInitReport", "PlatformStart", "PlatformRuntimeDone", "PlatformReport"]
    {
        assert!(words.contains(word), "{word} was not read: {words}");
    }
    lab.stop();
}
