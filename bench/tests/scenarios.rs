//! Load scenarios through the whole bench, and Artillery beside it, against a stand-in for the lab.
//!
//! Artillery itself is not needed: where it would run stands a script. Invariant: counts and states are judged, no times.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

mod support;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bench::run_file::RunFile;
use bench::scenario::Form;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::{Bench, Said, process_is_gone, said, variant};

const PROFILE: &str = "[load.quick]\nrounds = 2\ncold_starts = 1\nwarm_up_requests = 1\nwarm_requests = 1\n";
/// Five arrivals, then a ramp of 1 + 3.
const SCENARIO: &str = "config:
  phases:
    - { duration: 1, arrivalCount: 5 }
    - { duration: 2, arrivalRate: 1, rampTo: 3 }
  http: { timeout: 7 }
  plugins: { expect: {}, apdex: { threshold: 5000 } }
scenarios:
  - flow:
      - get: { url: /, expect: { statusCode: 200 } }
";

fn bench(profile: &str) -> Bench {
    Bench::new(&variant("a", 256, "DELAY_MS = \"1\""), &format!("{PROFILE}{profile}"))
}

fn run_file(bench: &Bench) -> RunFile {
    RunFile::load(&bench.only_folder().join("run.json")).unwrap()
}

/// A program that does what `script` says to whatever arguments.
fn program(bench: &Bench, script: &str) -> PathBuf {
    let path = bench.file("node", &format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn artillery(bench: &Bench, scenario: &Path, node: &Path) -> Said {
    let more = ["--artillery", scenario.to_str().unwrap(), "--node", node.to_str().unwrap()];
    said(bench.start_artillery(scenario, &more).wait_with_output().unwrap())
}

#[test]
fn a_profiles_scenarios_make_its_load_and_the_run_says_which() {
    let bench = bench("scenarios = [\"one.yml\", \"two.yml\"]\n");
    bench.file("one.yml", SCENARIO);
    bench.file("two.yml", SCENARIO);
    let said = bench.run();
    assert!(said.succeeded, "{}", said.stderr);
    let run = run_file(&bench);
    let load = run.variants[0].load.as_ref().unwrap();
    assert_eq!((load.requests, load.errors.len()), (2 * 2 * 9, 0));
    assert_eq!((load.offered_rate, run.variants[0].apdex), (3.0, Some(1.0)));
    let profile = &run.environment.profile;
    let files: Vec<_> =
        profile.scenarios.iter().map(|file| (file.file.as_str(), file.requests, file.duration_s)).collect();
    assert_eq!(files, [("one.yml", 9, 3.0), ("two.yml", 9, 3.0)]);
    assert_eq!(profile.scenarios[0].sha256.len(), 64);
    assert_eq!(
        (profile.ramps, profile.time_limit_ms, profile.apdex_threshold_ms),
        (Form::Stepped, 7000.0, 5000.0)
    );
    assert!(
        said.stdout.contains("then the load of one.yml and two.yml (apdex at 5000 ms, time-out 7.00 s)"),
        "{}",
        said.stdout
    );
}

#[test]
fn scenario_on_the_command_line_replaces_the_profiles_arrivals() {
    let bench = bench("arrivals = [{ duration_s = 1.0, arrival_rate = 30.0 }]\n");
    let file = bench.file("own.yml", SCENARIO);
    let said = bench.run_with(&["--scenario", file.to_str().unwrap()]);
    assert!(said.succeeded, "{}", said.stderr);
    let run = run_file(&bench);
    assert_eq!(run.variants[0].load.as_ref().unwrap().requests, 2 * 9);
    assert!(run.environment.profile.arrivals.is_empty());
}

#[test]
fn an_answer_that_is_not_as_expected_is_an_error_by_name() {
    for (expect, error) in
        [("statusCode: 201", "expect_status"), ("contentType: text/csv", "expect_content_type")]
    {
        let bench = bench("scenarios = [\"own.yml\"]\n");
        bench.file("own.yml", &SCENARIO.replace("statusCode: 200", expect));
        let said = bench.run();
        assert!(said.succeeded, "{}", said.stderr);
        let run = run_file(&bench);
        assert_eq!(run.variants[0].errors_by_name, BTreeMap::from([(error.to_owned(), 18)]));
        assert_eq!(run.variants[0].apdex, Some(0.0));
    }
}

#[test]
fn a_scenario_that_cannot_be_run_is_refused_before_anything_starts() {
    let bench = bench("scenarios = [\"own.yml\"]\n");
    assert!(bench.refusal().contains("own.yml"), "a missing file");
    bench.file("own.yml", &SCENARIO.replace("statusCode: 200", "hasHeader: x"));
    let message = bench.refusal();
    assert!(message.contains("line 9") && message.contains("`make bench-artillery SCENARIO="), "{message}");
    assert!(!bench.results().exists(), "nothing is made before the scenarios are read");
}

#[test]
fn both_engines_figures_stand_beside_each_other() {
    let bench = bench("");
    let file = bench.file("own.yml", SCENARIO);
    // Writes the report that it is told to write, with nine answers of 3 ms.
    let node = program(
        &bench,
        r#"while [ "$1" != --output ]; do shift; done
echo '{"aggregate": {"counters": {"http.requests": 9, "http.codes.200": 9}, "summaries": {"http.response_time": {"p50": 3}}}}' > "$2""#,
    );
    let said = artillery(&bench, &file, &node);
    assert!(said.succeeded, "{}", said.stderr);
    for part in ["ours, from intended", "ours, from sending", "Artillery, from sending", "opens a connection"]
    {
        assert!(said.stdout.contains(part), "{part:?} is missing in:\n{}", said.stdout);
    }
    let row = |label: &str| {
        let line = said.stdout.lines().find(|line| line.trim_start().starts_with(label)).unwrap();
        line.trim()[label.len()..].split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(row("requests "), ["9", "9", "9"]);
    assert_eq!(row("answered "), ["9", "9", "9"]);
    assert_eq!(row("p50, ms")[2], "3.00");
}

#[test]
fn a_file_that_only_artillery_understands_is_run_by_artillery_alone() {
    let bench = bench("");
    let file = bench.file("own.yml", &SCENARIO.replace("config:", "config:\n  variables: {}"));
    let node = program(
        &bench,
        r#"while [ "$1" != --output ]; do shift; done
echo '{"aggregate": {"counters": {"http.requests": 9}}}' > "$2""#,
    );
    let said = artillery(&bench, &file, &node);
    assert!(said.succeeded && !said.stdout.contains("ours, from sending "), "{}{}", said.stdout, said.stderr);
    assert!(
        said.stderr.contains("config.variables") && said.stderr.contains("so Artillery runs alone"),
        "{}",
        said.stderr
    );
}

#[test]
fn without_node_without_artillery_and_when_it_fails_the_mend_is_said() {
    let bench = bench("");
    let file = bench.file("own.yml", SCENARIO);
    let message = artillery(&bench, &file, Path::new("/not/there/node")).stderr;
    assert!(message.contains("/not/there/node") && message.contains("install node and npm"), "{message}");
    let failing = program(&bench, "echo some words; exit 3");
    let message = artillery(&bench, &file, &failing).stderr;
    assert!(message.contains("exit status: 3") && message.contains("some words"), "{message}");
    let more = ["--artillery", "/not/there/run"];
    let message = said(bench.start_artillery(&file, &more).wait_with_output().unwrap()).stderr;
    assert!(message.contains("/not/there/run is missing; `scripts/artillery`"), "{message}");
}

#[test]
fn ctrl_c_ends_artillery_and_the_lab() {
    let bench = bench("");
    let file = bench.file("own.yml", SCENARIO);
    let told = file.with_file_name("node.pid");
    let node =
        program(&bench, &format!("echo $$ > {0}.part; mv {0}.part {0}; exec sleep 600", told.display()));
    let more = ["--artillery", file.to_str().unwrap(), "--node", node.to_str().unwrap()];
    let mut child = bench.start_artillery(&file, &more);
    let begun = Instant::now();
    while !told.exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "Artillery never began");
        std::thread::sleep(Duration::from_millis(20));
    }
    let process: i32 = std::fs::read_to_string(&told).unwrap().trim().parse().unwrap();
    let lab = bench.lab_process();
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let begun = Instant::now();
    // Killed at once, but a moment may pass until it is reaped.
    while !process_is_gone(process) {
        assert!(begun.elapsed() < Duration::from_secs(10), "Artillery still runs");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(process_is_gone(lab), "the lab still runs");
}

#[test]
fn a_report_from_elsewhere_is_put_beside_a_run() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("fargate.json");
    std::fs::write(
        &report,
        r#"{"aggregate": {"counters": {"http.requests": 62100, "http.codes.200": 62100}}}"#,
    )
    .unwrap();
    let asked = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
        said(
            command
                .arg("artillery")
                .arg("--report")
                .arg(&report)
                .arg("--run")
                .arg(&fixtures)
                .args(more)
                .output()
                .unwrap(),
        )
    };
    let all = asked(&[]);
    assert!(all.succeeded, "{}", all.stderr);
    assert_eq!(all.stdout.matches("62100").count(), 4 * 2, "{}", all.stdout);
    let one = asked(&["--variant", "optimized"]);
    assert_eq!(one.stdout.matches("62100").count(), 2, "{}", one.stdout);
    let none = asked(&["--variant", "optimised"]);
    assert!(
        none.stderr.contains("\"optimised\"") && none.stderr.contains("baseline-reused"),
        "{}",
        none.stderr
    );
}
