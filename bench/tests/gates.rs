//! `--fail-if` on a run and on its file: refusals before anything is measured, one line a gate, exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what failed by panicking")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use bench::gate::known::METRICS;
use serde_json::Value;
use support::{Bench, variant};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// `bench table` on a fixture: the exit code, standard output, standard error.
fn table(fixture: &str, gates: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.arg("table").arg(fixtures().join(fixture));
    gates.iter().for_each(|gate| {
        command.args(["--fail-if", gate]);
    });
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Whoever adds a metric to `run.json` adds it here and to docs/GATES.md.
#[test]
fn the_metrics_are_those_of_the_schema_and_of_the_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = std::fs::read_to_string(root.join("schema/run.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let names: Vec<&str> = schema["$defs"]["metric_name"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    assert_eq!(names, METRICS);
    let page = std::fs::read_to_string(root.join("../docs/GATES.md")).unwrap();
    assert!(METRICS.iter().all(|metric| page.contains(&format!("`{metric}`"))));
}

#[test]
fn each_gate_says_one_line_and_the_exit_code_follows_from_all() {
    let failed = "warm_ms_p50 ratio < 0.1";
    let passed = "optimized/baseline-reused cost_per_million_usd high >= 1.5";
    let not_judged = "baseline-reused/baseline load_response_ms_p50 verdict is worse";
    let asked = "baseline-reused/baseline load_response_ms_p50 verdict is not measurable";
    for (gates, code, lines) in [
        (vec![passed], 0, vec![format!("gate: {passed}: passed, 1.4")]),
        (vec![failed], 3, vec![format!("gate: {failed}: FAILED, 0.054")]),
        (vec![not_judged], 4, vec![format!("gate: {not_judged}: NOT JUDGED, not measurable")]),
        (vec![asked], 3, vec![format!("gate: {asked}: FAILED, not measurable")]),
        (vec![not_judged, passed, failed], 3, vec![]),
        (vec![passed, not_judged], 4, vec![]),
        (vec!["cost_per_million_usd verdict is worse"], 3, vec!["FAILED, worse".to_owned()]),
        (
            vec!["cost_per_million_usd verdict is better; warm_ms_p50 low<0.01"],
            0,
            vec!["passed, worse".to_owned()],
        ),
        (vec!["max_memory_mb ratio > 1"], 0, vec!["passed, 0.27".to_owned()]),
        (
            vec!["optimized/baseline-reused warm_ms_p99 ratio > 1"],
            4,
            vec!["NOT JUDGED, not measurable, 600 values; a p99 needs 1000".to_owned()],
        ),
    ] {
        let (found, stdout, stderr) = table("run.json", &gates);
        assert_eq!(found, Some(code), "{gates:?}: {stderr}");
        let expected: usize = gates.iter().map(|gate| gate.split(';').count()).sum();
        assert_eq!(stderr.lines().count(), expected, "{stderr}");
        assert!(stderr.lines().all(|line| line.starts_with("gate: ")), "{stderr}");
        assert!(lines.iter().all(|line| stderr.contains(line)), "{lines:?} in {stderr}");
        assert!(stdout.contains("warm p50, ms") && !stdout.contains("gate:"), "{stdout}");
    }
}

#[test]
fn runs_of_older_versions_have_gates_too() {
    for version in 1..=3 {
        let fixture = format!("run.v{version}.json");
        let (code, _, said) = table(&fixture, &["warm_ms_p50 ratio > 100"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(": passed, "), "{said}");
        let (code, _, said) = table(&fixture, &["warm_ms_p99 ratio > 1"]);
        assert!(code == Some(4) && said.contains("this run has no warm_ms_p99"), "{said}");
    }
}

#[test]
fn what_names_nothing_is_refused_and_nothing_is_printed() {
    for (gate, code, parts) in [
        ("warm ratio > 1", 1, ["there is no metric \"warm\"", "warm_ms_p50, warm_ms_p90"]),
        (
            "baseline/optimized warm_ms_p50 ratio > 1",
            1,
            ["baseline/optimized is not compared", "optimized/baseline, "],
        ),
        ("package_bytes low > 1", 1, ["package_bytes", "ask for its ratio"]),
        ("warm_ms_p50 verdict is slower", 2, ["\"slower\" is no verdict", "better, worse"]),
        ("warm_ms_p50 ratio above 1", 2, ["\"above\"", ">, >=, < or <="]),
    ] {
        let (found, stdout, said) = table("run.json", &[gate]);
        assert_eq!((found, stdout.as_str()), (Some(code), ""), "{said}");
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
    }
}

const PROFILE: &str = "[load.quick]\nrounds = 2\ncold_starts = 2\nwarm_up_requests = 1\nwarm_requests = 10\n";

#[test]
fn a_run_refuses_before_it_measures_and_judges_afterwards() {
    let bench = Bench::new(&(variant("slow", 256, "DELAY_MS = \"9\"") + &variant("fast", 256, "")), PROFILE);
    for (gate, part) in [
        ("warmth ratio > 1", "there is no metric \"warmth\""),
        ("slow/fast warm_ms_p50 ratio > 1", "compared are: fast/slow"),
        ("load_response_ms_p50 ratio > 1", "the profile has no load phase"),
    ] {
        let said = bench.run_with(&["--fail-if", gate]);
        assert!(said.code == Some(1) && said.stderr.contains(part), "{}", said.stderr);
        assert!(!bench.results().exists(), "nothing was begun");
    }
    // Only a sleep of 9 ms against one of 0.2 ms is judged.
    let said = bench.run_with(&[
        "--fail-if",
        "warm_ms_p50 ratio < 1",
        "--fail-if",
        "fast/slow package_bytes ratio > 1",
    ]);
    assert_eq!(said.code, Some(3), "{}", said.stderr);
    assert!(said.stderr.contains("gate: warm_ms_p50 ratio < 1: FAILED, 0."), "{}", said.stderr);
    assert!(
        said.stderr.contains("gate: fast/slow package_bytes ratio > 1: passed, 1.0000"),
        "{}",
        said.stderr
    );
    assert!(said.stdout.contains("fast / slow"), "{}", said.stdout);
    assert!(bench.results().join("latest").exists(), "a failed gate is a finished run");
}

#[test]
fn a_single_variant_has_no_main_pair() {
    let bench = Bench::new(&variant("a", 256, ""), PROFILE);
    let said = bench.run_with(&["--fail-if", "warm_ms_p50 ratio > 1"]);
    assert!(
        said.code == Some(1) && said.stderr.contains("a single variant is not compared"),
        "{}",
        said.stderr
    );
}
