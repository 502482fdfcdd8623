//! The whole bench against a stand-in for the lab: real processes, real files, real loopback HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what failed by panicking")]

#[path = "end_to_end/capacity.rs"]
mod capacity;
mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use bench::run_file::{RunFile, Variant};
use bench::sample::{Phase, Sample};
use bench::verdict::Verdict;
use lambda_lab::records::Invocation;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::{Bench, process_is_gone, variant};

/// Two variants of which the second is clearly faster, and asks less of its dependencies.
fn pair() -> String {
    variant("slow", 256, "DELAY_MS = \"12\", INIT_MS = \"30\", SSM_CALLS = \"2\", LOGINS = \"1\"")
        + &variant("fast", 1024, "DELAY_MS = \"2\", INIT_MS = \"5\"")
}

const PROFILE: &str = "[load.quick]\nrounds = 4\ncold_starts = 5\nwarm_up_requests = 2\nwarm_requests = 20\n";
const ARRIVALS: &str = "arrivals = [{ duration_s = 1.0, arrival_rate = 20.0 }, \
                        { duration_s = 1.0, arrival_rate = 20.0, ramp_to = 40.0 }]\n";

fn metric<'a>(run: &'a RunFile, name: &str) -> &'a bench::run_file::ComparedMetric {
    run.comparisons[0].metrics.iter().find(|metric| metric.name == name).unwrap()
}

#[test]
fn a_whole_run_measures_compares_and_accounts_for_everything() {
    let bench = Bench::new(&pair(), &format!("{PROFILE}control = \"fast\"\n{ARRIVALS}"));
    let output = bench.run();
    assert!(output.succeeded, "{}", output.stderr);
    let folder = bench.only_folder();
    let run = RunFile::load(&folder.join("run.json")).unwrap();

    // 4 rounds of 2 variants x (5 cold + 2 warm-up + 20 warm + 50 arrivals) and a control without arrivals.
    assert_eq!(run.accounting.sent, 4 * (2 * (5 + 2 + 20 + 50) + (5 + 2 + 20)));
    assert_eq!(run.accounting.answered, run.accounting.sent);
    let (forward, backward) = (["slow", "fast", "fast-control"], ["fast-control", "fast", "slow"]);
    assert_eq!(run.environment.order, [forward, backward, forward, backward]);
    assert_eq!(run.environment.servers["postgresql"], "15.14");
    assert_eq!(run.not_emulated, ["CPU share by memory size"]);
    assert_eq!(run.environment.network.name, "loopback");
    assert!(run.modelled.is_empty() && run.environment.network.round_trips_ms.is_empty());

    let cost = run.variants[0].cost.unwrap();
    assert_eq!((cost.requests, run.variants[0].cost_per_million_usd), (4 * 50, Some(cost.per_million_usd)));
    assert!(run.environment.states.as_ref().unwrap().load.is_some());

    check_numbers(&run);
    check_files(&folder);
    let latest = std::fs::canonicalize(bench.results().join("latest")).unwrap();
    assert_eq!(latest, std::fs::canonicalize(&folder).unwrap());

    for part in
        ["slow", "fast", "warm p50, ms", "fast / slow", "better", "724 sent = 724 answered", "run.json"]
    {
        assert!(output.stdout.contains(part), "{part:?} is missing in:\n{}", output.stdout);
    }
    let again = bench.table(&folder.join("run.json"));
    let without_path = |text: &str| text.split("Everything: ").next().unwrap().to_owned();
    assert_eq!(without_path(&again.stdout), without_path(&output.stdout));
    assert!(output.stderr.contains("round 2/4, fast cold: 5 requests"), "{}", output.stderr);
}

/// The sleeps of the fake are lower bounds of what must have been measured; only ratios far apart are judged.
fn check_numbers(run: &RunFile) {
    let [slow, fast]: &[Variant; 2] = run.variants.as_slice().try_into().unwrap();
    assert!(slow.warm_ms.p50.unwrap() >= 12.0 && fast.warm_ms.p50.unwrap() >= 2.0);
    assert!(slow.init_ms.p50.unwrap() >= 30.0 && slow.cold_ms.p50.unwrap() >= 42.0);
    assert_eq!((slow.warm_ms.p90, slow.warm_ms.p99), (None, None), "80 values are too few");
    assert!(slow.tps_per_sandbox.unwrap() <= 1000.0 / 12.0);
    assert_eq!(slow.dependencies.ssm_get_parameters_per_invoke, Some(2.0));
    assert_eq!(slow.dependencies.new_connections_per_invoke, Some(1.0));
    assert_eq!(fast.dependencies.ssm_get_parameters_per_invoke, Some(0.0));
    assert_eq!(slow.package_bytes, fast.package_bytes);
    assert!(slow.package_bytes.is_some());
    let load = slow.load.as_ref().unwrap();
    assert_eq!((load.requests, load.dropped), (200, 0));
    assert!((load.offered_rate - 25.0).abs() < 1e-9 && load.achieved_rate > 0.0);
    assert!(load.cold_starts >= 4 && load.peak_sandboxes >= 1);
    assert!(load.send_lag_ms.p50.is_some());
    assert!(slow.cold_starts >= 4 * (5 + 1 + 1), "each turn begins with a cold start");

    let warm = metric(run, "warm_ms_p50");
    assert_eq!((warm.verdict, warm.rounds, warm.per_round.len()), (Some(Verdict::Better), 4, 4));
    assert!(warm.ratio.unwrap() < 0.6, "{warm:?}");
    let package = metric(run, "package_bytes");
    assert_eq!((package.ratio, package.interval, package.verdict), (Some(1.0), None, None));
    assert_eq!(slow.per_round["warm_ms_p50"].len(), 4);
    assert_eq!(metric(run, "warm_ms_p99").reason.as_deref(), Some("80 values; a p99 needs 1000"));
    assert!(metric(run, "load_response_ms_p50").void_rounds.is_empty());
    assert_eq!(slow.outliers.map(|outliers| outliers.of), Some(80));
    check_control(run);
}

/// The control was measured as often as its twin, is no variant, and says how far the twin is from itself.
fn check_control(run: &RunFile) {
    let [control] = run.control.as_slice() else { panic!("{:?}", run.control) };
    assert_eq!(control.of, "fast");
    let warm = control.metrics.iter().find(|metric| metric.name == "warm_ms_p50").unwrap();
    assert!(warm.interval.is_some() && warm.per_round.len() == 4, "{warm:?}");
    assert!(!control.metrics.iter().any(|metric| metric.name.starts_with("load")));
}

/// The two files join line by line, and every cold request met a fresh sandbox.
fn check_files(folder: &std::path::Path) {
    let samples: Vec<Sample> = lines(&folder.join("samples.jsonl"));
    let invocations: Vec<Invocation> = lines(&folder.join("invocations.jsonl"));
    assert_eq!(samples.len(), 724);
    // Two more than samples: the comparison of the bodies.
    assert_eq!(invocations.len(), 726);
    let by_trace: BTreeMap<&str, &Invocation> =
        invocations.iter().map(|invocation| (invocation.trace_id.as_str(), invocation)).collect();
    for sample in &samples {
        let invocation = by_trace[sample.trace_id.as_str()];
        assert_eq!(sample.cold, Some(invocation.cold));
        assert_eq!(sample.variant.strip_suffix("-control").unwrap_or(&sample.variant), invocation.function);
        assert!(sample.sent_us >= Some(sample.intended_us));
    }
    let cold = samples.iter().filter(|sample| sample.phase == Phase::Cold);
    assert!(cold.clone().all(|sample| sample.cold == Some(true)));
    assert_eq!(cold.count(), 3 * 4 * 5);
    let control = samples.iter().filter(|sample| sample.variant == "fast-control");
    assert_eq!(control.count(), 4 * (5 + 2 + 20));
    assert!(folder.join("logs/lab.log").is_file());
}

fn lines<T: serde::de::DeserializeOwned>(path: &std::path::Path) -> Vec<T> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_is_modelled_and_what_the_rounds_suffered_is_told() {
    let profile = "[load.quick]\nrounds = 2\ncold_starts = 1\nwarm_up_requests = 1\nwarm_requests = 2\n";
    let variants = variant("throttled", 128, "THROTTLED_MS = \"7.5\"") + &variant("free", 1769, "");
    let bench = Bench::new(&variants, profile);
    let output = bench.run_with(&["--network", "same-az"]);
    assert!(output.succeeded, "{}", output.stderr);
    let run = RunFile::load(&bench.only_folder().join("run.json")).unwrap();
    let environment = &run.environment;
    assert_eq!((environment.network.name.as_str(), environment.limits.as_str()), ("same-az", "none"));
    assert_eq!(environment.network.round_trips_ms.keys().collect::<Vec<_>>(), ["cache", "database", "ssm"]);
    assert!(environment.network.source_date.is_some());
    assert!(run.modelled.len() == 1 && run.modelled[0].contains("ms to database"), "{:?}", run.modelled);
    let throttled: Vec<_> = run.variants.iter().map(|variant| variant.throttled_ms_per_invoke).collect();
    assert_eq!(throttled, [Some(7.5), None]);
    let rounds: Vec<_> = environment.interference.iter().map(|round| round.round).collect();
    assert_eq!(rounds, [1, 2]);
    assert!(environment.interference.iter().all(|round| round.elapsed_ms > 0.0));
    assert!(output.stdout.contains("Network: same-az, MODELLED"), "{}", output.stdout);
    assert!(
        output.stdout.contains("Limits: none. Not emulated: CPU share by memory size."),
        "{}",
        output.stdout
    );
}

#[test]
fn an_unknown_network_is_refused_before_anything_is_made() {
    let bench = Bench::new(&pair(), PROFILE);
    let said = bench.run_with(&["--network", "same-rack"]);
    assert!(!said.succeeded);
    assert!(said.stderr.contains("known are: loopback, same-az, cross-az"), "{}", said.stderr);
    assert!(!bench.results().exists());
}

#[test]
fn each_turn_begins_with_everything_retired_and_the_cache_empty_and_each_round_with_the_setup() {
    let profile = "[load.quick]\nrounds = 2\ncold_starts = 1\nwarm_up_requests = 1\nwarm_requests = 1\n";
    let bench = Bench::new(&(variant("a", 256, "") + &variant("b", 256, "")), profile);
    assert!(bench.run().succeeded);
    let log = bench.lab_log();
    assert!(log.ends_with("ended by its parent\n"), "the lab was killed: {log}");
    let calls: Vec<&str> = log.lines().collect();
    let begins =
        calls.windows(3).filter(|calls| *calls == ["POST /retire/a", "POST /retire/b", "POST /cache/flush"]);
    // Two rounds, and in each two turns of two variants.
    assert_eq!(begins.count(), 2 + 2 * 2 * 2, "{log}");
    let flush_and_setup = calls.windows(2).filter(|calls| *calls == ["POST /cache/flush", "POST /setup"]);
    assert_eq!(flush_and_setup.count(), 2, "{log}");
    let setups: Vec<usize> = (0..calls.len()).filter(|place| calls[*place] == "POST /setup").collect();
    let first_turn = calls.iter().position(|call| *call == "GET /counters").unwrap();
    assert!(setups.len() == 2 && setups[0] < first_turn && first_turn < setups[1], "{log}");
}

#[test]
fn failing_requests_are_results_and_are_named() {
    let variants = variant("steady", 256, "") + &variant("shaky", 256, "FAIL_EVERY = \"4\"");
    let bench = Bench::new(&variants, PROFILE);
    let output = bench.run();
    assert!(output.succeeded, "{}", output.stderr);
    let run = RunFile::load(&bench.only_folder().join("run.json")).unwrap();
    let [steady, shaky]: &[Variant; 2] = run.variants.as_slice().try_into().unwrap();
    assert_eq!(steady.errors, 0);
    assert!(shaky.errors > 0);
    assert_eq!(shaky.errors_by_name, BTreeMap::from([("http_500".to_owned(), shaky.errors)]));
    assert_eq!(run.accounting.failed, shaky.errors);
    assert_eq!(run.accounting.sent, run.accounting.answered + run.accounting.failed);
    assert!(
        output.stdout.contains(&format!("Errors of shaky: http_500 {}.", shaky.errors)),
        "{}",
        output.stdout
    );
}

#[test]
fn different_bodies_are_refused_before_anything_is_timed() {
    let variants = variant("a", 256, "BODY = \"[1, 2]\"") + &variant("b", 256, "BODY = \"[1, 3]\"");
    let bench = Bench::new(&variants, PROFILE);
    let message = bench.refusal();
    assert!(
        message.contains("\"a\"") && message.contains("\"b\"") && message.contains("byte 4"),
        "{message}"
    );
    assert_eq!(std::fs::read_to_string(bench.only_folder().join("samples.jsonl")).unwrap(), "");
    assert!(!bench.results().join("latest").exists());
}

#[test]
fn lost_records_and_sandboxes_that_stay_are_errors_with_their_count() {
    let bench = Bench::new(&variant("a", 256, "STAY_WARM = \"1\""), PROFILE);
    let message = bench.refusal();
    assert!(message.contains("5 requests") && message.contains("met a warm sandbox"), "{message}");
    let bench = Bench::new(&variant("a", 256, "LOSE_RECORDS = \"1\""), PROFILE);
    let message = bench.refusal();
    assert!(message.contains("5 of 5 answered requests"), "{message}");
}

#[test]
fn a_lab_that_cannot_start_is_quoted() {
    let message = Bench::new(&variant("a", 256, "LAB = \"fail\""), PROFILE).refusal();
    assert!(
        message.contains("apt-get install postgresql") && message.contains("exit status: 3"),
        "{message}"
    );
    let message = Bench::new(&variant("a", 256, "LAB = \"garbage\""), PROFILE).refusal();
    assert!(message.contains("hello, this is no ready line"), "{message}");
}

#[test]
fn a_missing_program_is_refused_before_anything_starts() {
    let bench = Bench::new(&pair(), PROFILE);
    let program = bench.functions_dir().join("fast/bootstrap");
    std::fs::remove_file(&program).unwrap();
    let message = bench.refusal();
    assert!(message.contains("variant \"fast\""), "{message}");
    assert!(message.contains(program.to_str().unwrap()) && message.contains("`make build`"), "{message}");
    assert!(!bench.results().exists(), "nothing is made before the programs are found");
}

#[test]
fn an_unknown_profile_and_an_unreadable_run_file_are_refused() {
    let bench = Bench::new(
        &pair(),
        "[load.other]\nrounds = 2\ncold_starts = 1\nwarm_up_requests = 1\nwarm_requests = 1\n",
    );
    let message = bench.refusal();
    assert!(message.contains("\"quick\"") && message.contains("other"), "{message}");
    let message = bench.table(&bench.results().join("nothing.json"));
    assert!(!message.succeeded && message.stderr.contains("nothing.json"), "{}", message.stderr);
}

#[test]
fn ctrl_c_ends_the_lab_and_leaves_what_was_measured() {
    let profile = "[load.quick]\nrounds = 2\ncold_starts = 1\nwarm_up_requests = 1\nwarm_requests = 100000\n";
    let bench = Bench::new(&variant("a", 256, "DELAY_MS = \"1\""), profile);
    let mut child = bench.start();
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(told.any(|line| line.starts_with("round 1/2, a cold")), "the first step never ended");
    let invocations = bench.only_folder().join("invocations.jsonl");
    let begun = Instant::now();
    while std::fs::read_to_string(&invocations).unwrap().lines().count() < 20 {
        assert!(begun.elapsed() < Duration::from_secs(30), "the warm requests never began");
        std::thread::sleep(Duration::from_millis(20));
    }
    let lab = bench.lab_process();
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    let last = told.collect::<Vec<_>>().join("\n");
    assert_eq!(child.wait().unwrap().code(), Some(130), "{last}");
    assert!(last.contains("interrupted"), "{last}");
    assert!(process_is_gone(lab), "the lab still runs");
    assert!(bench.lab_log().ends_with("ended by its parent\n"), "the lab was killed");
    let samples: Vec<Sample> = lines(&bench.only_folder().join("samples.jsonl"));
    assert!(samples.iter().filter(|sample| sample.phase == Phase::Warm).count() >= 10, "{}", samples.len());
    assert!(!bench.only_folder().join("run.json").exists());
}

#[test]
fn a_lab_that_ends_during_the_run_is_noticed_at_once_and_quoted() {
    let profile =
        "[load.quick]\nrounds = 2\ncold_starts = 2\nwarm_up_requests = 1\nwarm_requests = 1000000\n";
    let bench = Bench::new(&variant("a", 256, "DIE_AT = \"30\""), profile);
    let message = bench.refusal();
    assert!(message.contains("ended (exit status: 9) during the run"), "{message}");
    assert!(message.contains("the disk is full"), "{message}");
    let samples: Vec<Sample> = lines(&bench.only_folder().join("samples.jsonl"));
    assert!(samples.iter().filter(|sample| sample.answered()).count() >= 20, "{}", samples.len());
}
