//! `start` in a process of its own: the real environment, the real stdout, the global subscriber.
//!
//! The child is this test program again, told to run the one ignored test below, which is what a function's `main` would be.

// Helpers of a test may stop it where they stand.
#![allow(clippy::expect_used)]

use std::fmt;
use std::process::Command;

use lambda_runtime::Context;
use serde_json::Value;

#[tokio::test]
#[ignore = "the child of the tests below"]
async fn child() {
    let telemetry = telemetry::start();
    let _second = telemetry::start();
    let mut context = Context::default();
    for request_id in ["first", "second"] {
        context.request_id = request_id.to_owned();
        telemetry
            .invocation(&context, async {
                tracing::debug!("detail");
                tracing::info!(value = ?Talkative, "outer");
            })
            .await;
    }
}

/// Something that logs and counts while it is being logged, as a driver's Debug may.
struct Talkative;

impl fmt::Debug for Talkative {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        tracing::info!("inner");
        telemetry::metric("Formatted", telemetry::Unit::Count, 1.0);
        formatter.write_str("talkative")
    }
}

fn lines_of_child(variables: &[(&str, &str)]) -> Vec<Value> {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .expect("the child runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    // The test harness of the child prints lines of its own.
    let lines = stdout.lines().filter_map(|line| line.find('{').map(|start| &line[start..]));
    lines.map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect()
}

fn messages(lines: &[Value]) -> Vec<&str> {
    lines.iter().filter_map(|line| line["message"].as_str()).collect()
}

#[test]
fn a_second_start_is_told_and_the_first_goes_on() {
    let lines = lines_of_child(&[("POWERTOOLS_SERVICE_NAME", "greeter")]);
    let messages = messages(&lines);
    assert!(messages[0].contains("start telemetry once"), "{messages:?}");
    assert_eq!(messages[1..], ["inner", "outer", "inner", "outer"]);
    assert!(lines.iter().all(|line| line["service"] == "greeter"));
}

#[test]
fn a_field_that_logs_and_counts_while_it_is_formatted_does_both() {
    let lines = lines_of_child(&[]);
    let outer: Vec<_> = lines.iter().filter(|line| line["message"] == "outer").collect();
    assert!(outer.iter().all(|line| line["value"] == "talkative"), "{outer:?}");
    let inner: Vec<_> = lines.iter().filter(|line| line["message"] == "inner").collect();
    assert_eq!(
        (&inner[0]["function_request_id"], &inner[1]["function_request_id"]),
        (&"first".into(), &"second".into())
    );
    assert_eq!(lines.iter().filter(|line| line["Formatted"] == 1).count(), 2);
}

#[test]
fn the_environment_is_read_and_its_mistakes_are_told() {
    let lines = lines_of_child(&[("POWERTOOLS_LOG_LEVEL", "loud"), ("POWERTOOLS_METRICS_DISABLED", "true")]);
    assert_eq!(
        lines
            .iter()
            .filter(|line| line["message"].as_str().is_some_and(|text| text.contains("`loud`")))
            .count(),
        2
    );
    assert!(!messages(&lines).contains(&"detail"));
    assert!(lines.iter().all(|line| line.get("_aws").is_none()));

    let lines = lines_of_child(&[("POWERTOOLS_LOG_LEVEL", "debug")]);
    assert_eq!(messages(&lines).iter().filter(|message| **message == "detail").count(), 2);
}
