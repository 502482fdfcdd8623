//! From rows to numbers: the join, every metric of a variant and the load block, each against a sum done by hand.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

#[path = "support/rows.rs"]
mod rows;

use std::collections::BTreeMap;

use bench::host::CpuTicks;
use bench::metrics::variant;
use bench::observation::{JoinError, Observation, check};
use bench::phases::Surroundings;
use bench::prices::Prices;
use bench::run_file::{Quantiles, Variant};
use bench::sample::Phase;
use bench::tracing_cost::SentBytes;
use lambda_lab::control::Counters;
use lambda_lab::records::Invocation;
use rows::{Rows, close, cold, dropped, failed, function, invocation, sample};

fn numbers(observations: &[Observation], turns: &[Surroundings], schedule_s: f64) -> Variant {
    let prices = Prices::bundled("x86_64").unwrap();
    let observations: Vec<&Observation> = observations.iter().collect();
    let turns: Vec<&Surroundings> = turns.iter().collect();
    variant(&function("a"), Some(1000), &observations, &turns, schedule_s, &prices, &SentBytes::default())
}

#[test]
fn warm_numbers_are_of_answered_requests_to_warm_sandboxes_alone() {
    let mut rows = Rows::default();
    (1..=100).for_each(|k| rows.warm("a", 1 + k % 2, f64::from(k)));
    // None of these three may show in any of the latencies below.
    let cold_one = sample("a", 1, Phase::Warm, 900.0);
    let record = cold(&cold_one, 500.0, 300.0);
    rows.add(cold_one, Some(record));
    let error = failed(sample("a", 1, Phase::Warm, 0.1), "http_500");
    let record = Invocation { max_memory_mb: Some(33.5), ..invocation(&error, 0.1) };
    rows.add(error, Some(record));
    let warm_up = sample("a", 1, Phase::WarmUp, 700.0);
    let record = invocation(&warm_up, 700.0);
    rows.add(warm_up, Some(record));

    let numbers = numbers(&rows.joined(), &[], 0.0);
    // 1 to 100: type 7 puts p90 at 1 + 0.9 * 99.
    close(numbers.warm_ms.p50, 50.5);
    close(numbers.warm_ms.p90, 90.1);
    assert_eq!(numbers.warm_ms.p99, None);
    close(numbers.response_ms.p50, 51.5);
    close(numbers.cpu_ms_per_invoke, 25.25);
    close(numbers.tps_per_sandbox, 1000.0 / 50.5);
    // 50.5 ms at half a GB.
    close(numbers.cost_per_million_usd, 1e6 * 0.0505 * 0.5 * 0.000_016_666_7 + 0.20);
    close(numbers.max_memory_mb, 33.5);
    assert_eq!((numbers.requests, numbers.errors, numbers.dropped, numbers.cold_starts), (103, 1, 0, 1));
    assert_eq!(numbers.errors_by_name, BTreeMap::from([("http_500".to_owned(), 1)]));
    assert_eq!((numbers.memory_mb, numbers.package_bytes), (512, Some(1000)));
    assert_eq!((numbers.load, numbers.apdex), (None, None));
}

#[test]
fn a_warm_time_out_counts_in_the_clients_time_at_its_limit() {
    let mut rows = Rows::default();
    (0..19).for_each(|_| rows.warm("a", 1, 10.0));
    (0..20).for_each(|_| rows.add(failed(sample("a", 1, Phase::Warm, 30_000.0), "timeout"), None));
    let numbers = numbers(&rows.joined(), &[], 0.0);
    close(numbers.response_ms.p50, 30_000.0);
    assert_eq!(numbers.warm_ms.p50, None, "19 durations are too few");
    assert_eq!(numbers.errors_by_name, BTreeMap::from([("timeout".to_owned(), 20)]));
}

#[test]
fn cold_numbers_are_of_the_cold_phase() {
    let mut rows = Rows::default();
    (1..=20).for_each(|k| rows.cold("a", 1, f64::from(k)));
    let numbers = numbers(&rows.joined(), &[], 0.0);
    close(numbers.init_ms.p50, 10.5);
    close(numbers.cold_ms.p50, 20.5);
    close(numbers.init_cpu_ms, 1.05);
    assert_eq!((numbers.cold_starts, numbers.init_ms.p90), (20, None));
    assert_eq!(numbers.warm_ms, Quantiles::default());
    assert_eq!(numbers.cost_per_million_usd, None);
}

fn counters(ssm: &[(&str, u64)], logins: Option<u64>) -> Counters {
    Counters {
        ssm: ssm.iter().map(|(operation, count)| ((*operation).to_owned(), *count)).collect(),
        pgbouncer: logins.map(|logins| ("logins".to_owned(), logins)).into_iter().collect(),
        ..Counters::default()
    }
}

#[test]
fn dependencies_are_counted_for_each_warm_invocation() {
    let mut rows = Rows::default();
    (0..4).for_each(|_| rows.warm("a", 1, 10.0));
    let observations = rows.joined();
    let turn = |before, after| Surroundings::Warm { before, after };
    let turns = [
        turn(counters(&[], None), counters(&[("GetParameters", 3), ("DescribeParameters", 50)], Some(2))),
        turn(
            counters(&[("GetParameters", 10), ("GetParameter", 5)], Some(10)),
            counters(&[("GetParameters", 11), ("GetParameter", 7)], Some(11)),
        ),
        Surroundings::Cold,
    ];
    let counted = numbers(&observations, &turns, 0.0).dependencies;
    assert_eq!(counted.ssm_get_parameters_per_invoke, Some(6.0 / 4.0));
    assert_eq!(counted.new_connections_per_invoke, Some(3.0 / 4.0));
    let uncounted =
        numbers(&observations, &[turn(counters(&[], None), counters(&[], None))], 0.0).dependencies;
    assert_eq!(uncounted.ssm_get_parameters_per_invoke, Some(0.0));
    assert_eq!(uncounted.new_connections_per_invoke, None);
}

/// One round of 10 arrivals in 2 s: four satisfying, two tolerable, one slow, and one of each failure.
fn load_rows() -> Rows {
    let mut rows = Rows::default();
    let arrival = |response_ms| sample("a", 1, Phase::Load, response_ms);
    for (k, response_ms) in [50.0, 50.0, 100.0, 100.0, 100.5, 400.0, 401.0].into_iter().enumerate() {
        let sample = arrival(response_ms);
        let started_unix_us = 1_700_000_000_000_000 + 10_000 * k as u64;
        // Every record lasts 15 ms and the next begins 10 ms later: two at once. The third began its INIT 20 ms earlier: three.
        let record = if k == 2 { cold(&sample, 20.0, 15.0) } else { invocation(&sample, 15.0) };
        rows.add(sample, Some(Invocation { started_unix_us, ..record }));
    }
    rows.add(failed(arrival(30_000.0), "timeout"), None);
    rows.add(failed(arrival(1.0), "http_503"), None);
    rows.add(dropped(arrival(0.0)), None);
    rows
}

#[test]
fn the_load_block_counts_every_arrival() {
    let busy = Surroundings::Load { cpu: Some(CpuTicks { idle: 9, total: 100 }) };
    let numbers = numbers(&load_rows().joined(), &[busy], 2.0);
    let load = numbers.load.unwrap();
    assert_eq!((load.requests, load.dropped, load.cold_starts), (10, 1, 1));
    assert_eq!(load.errors, BTreeMap::from([("timeout".to_owned(), 1), ("http_503".to_owned(), 1)]));
    close(Some(load.offered_rate), 5.0);
    // The time-out ended 31 s after the phase's start.
    close(Some(load.achieved_rate), 7.0 / 31.0);
    close(numbers.apdex, (4.0 + 2.0 * 0.5) / 10.0);
    assert_eq!(load.peak_sandboxes, 3);
    assert_eq!(load.host_limited, Some(true));
    assert!(!load.generator_limited);
    assert_eq!(load.response_ms.p50, None, "8 values are too few");
}

#[test]
fn stamps_say_what_the_limit_was() {
    let idle = Surroundings::Load { cpu: Some(CpuTicks { idle: 10, total: 100 }) };
    let unknown = Surroundings::Load { cpu: None };
    let stamp = |turn: &Surroundings| {
        numbers(&load_rows().joined(), std::slice::from_ref(turn), 2.0).load.unwrap().host_limited
    };
    assert_eq!(stamp(&idle), Some(false));
    assert_eq!(stamp(&unknown), None);
    let mut rows = Rows::default();
    (0..3).for_each(|_| rows.add(sample("a", 1, Phase::Load, 2.1), None));
    assert!(!numbers(&rows.joined(), &[], 2.0).load.unwrap().generator_limited);
    let mut rows = Rows::default();
    (0..3).for_each(|_| rows.add(sample("a", 1, Phase::Load, 1.9), None));
    // The send lag of 0.5 ms is more than a quarter of 1.9 ms.
    assert!(numbers(&rows.joined(), &[], 2.0).load.unwrap().generator_limited);
}

#[test]
fn missing_records_and_warm_sandboxes_in_the_cold_phase_are_refused_by_count() {
    let mut rows = Rows::default();
    (0..3).for_each(|_| rows.warm("a", 1, 1.0));
    rows.add(sample("a", 1, Phase::Warm, 1.0), None);
    rows.add(failed(sample("a", 1, Phase::Warm, 1.0), "connect"), None);
    let error = check(&rows.joined()).unwrap_err();
    assert_eq!(error, JoinError::Missing { variant: "a".into(), missing: 1, answered: 4 });
    let mut rows = Rows::default();
    rows.cold("a", 1, 1.0);
    check(&rows.joined()).unwrap();
    let stale = sample("a", 1, Phase::Cold, 1.0);
    let mut rows = Rows::default();
    let record = invocation(&stale, 1.0);
    rows.add(stale, Some(record));
    let observations = rows.joined();
    assert_eq!(observations[0].sample.cold, Some(false));
    assert_eq!(check(&observations).unwrap_err(), JoinError::NotCold { variant: "a".into(), warm: 1 });
}

#[test]
fn tracing_costs_the_difference_within_each_round_whatever_the_rounds_differ_by() {
    let mut rows = Rows::default();
    // Rounds 1, 2, 3 are each 100 ms slower than the one before; tracing costs 3, 4 and 5 ms.
    for round in 1..=3 {
        for k in 0..5 {
            let base_ms = f64::from(100 * round + k);
            rows.warm("a", round, base_ms);
            let mut traced = sample("a", round, Phase::Warm, base_ms + 1.5);
            traced.sampled = true;
            let record = invocation(&traced, base_ms + 2.0 + f64::from(round));
            rows.add(traced, Some(record));
        }
    }
    let cost = numbers(&rows.joined(), &[], 0.0).tracing_cost.unwrap();
    assert_eq!((cost.sampled, cost.others), (15, 15));
    let warm = cost.warm_ms.unwrap();
    close(Some(warm.value), 4.0);
    // Student's t for two degrees of freedom, 4.303, times the standard error 1 / sqrt(3).
    assert!((warm.interval[1] - 4.0 - 4.302_65 / 3f64.sqrt()).abs() < 1e-4, "{warm:?}");
    close(Some(cost.response_ms.unwrap().value), 0.5);
    // The rows' processor time is half their duration.
    close(Some(cost.cpu_ms.unwrap().value), 2.0);
    assert_eq!(cost.bytes, None, "no documents were kept");
}

#[test]
fn a_traced_invocation_weighs_what_its_function_sent() {
    let mut rows = Rows::default();
    rows.warm("a", 1, 1.0);
    let mut lines = Vec::new();
    for bytes in [100, 300] {
        let mut traced = sample("a", 1, Phase::Warm, 1.0);
        traced.sampled = true;
        // The rest of this document has 60 bytes.
        let name = "n".repeat(bytes - 60);
        let document = serde_json::json!({ "name": name, "trace_id": traced.trace_id });
        assert_eq!(document.to_string().len(), bytes);
        for source in ["daemon", "lambda"] {
            lines.push(
                serde_json::json!({ "received_unix_us": 1, "source": source, "document": document })
                    .to_string(),
            );
        }
        let record = invocation(&traced, 1.0);
        rows.add(traced, Some(record));
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines.join("\n")).unwrap();
    let sent = SentBytes::read(file.path()).unwrap();
    let observations = rows.joined();
    let observations: Vec<&Observation> = observations.iter().collect();
    close(bench::tracing_cost::tracing_cost(&observations, &sent).unwrap().bytes, 200.0);
}

#[test]
fn without_both_traced_and_other_requests_no_cost_is_told() {
    let mut rows = Rows::default();
    (1..=4).for_each(|round| rows.warm("a", round, 1.0));
    assert_eq!(numbers(&rows.joined(), &[], 0.0).tracing_cost, None);
    let mut rows = Rows::default();
    rows.warm("a", 1, 1.0);
    rows.warm("a", 2, 1.0);
    let mut traced = sample("a", 1, Phase::Warm, 1.0);
    traced.sampled = true;
    let record = invocation(&traced, 2.0);
    rows.add(traced, Some(record));
    let cost = numbers(&rows.joined(), &[], 0.0).tracing_cost.unwrap();
    assert_eq!((cost.sampled, cost.others, cost.warm_ms), (1, 2, None), "round 2 has nothing traced");
}

#[test]
fn warm_outliers_are_counted_and_stay_in_the_figures() {
    let mut rows = Rows::default();
    // 101 values from 100 to 200: quartiles 125 and 175, outer fence 175 + 3 * 50 = 325.
    (0..=100).for_each(|k| rows.warm("a", 1, f64::from(100 + k)));
    assert_eq!(numbers(&rows.joined(), &[], 0.0).outliers.unwrap().count, 0);
    let mut rows = Rows::default();
    (0..=97).for_each(|k| rows.warm("a", 1, f64::from(100 + k)));
    [324.0, 600.0, 700.0].into_iter().for_each(|far_ms| rows.warm("a", 2, far_ms));
    let numbers = numbers(&rows.joined(), &[], 0.0);
    let outliers = numbers.outliers.unwrap();
    assert_eq!((outliers.count, outliers.of), (2, 101));
    close(Some(outliers.fence_ms), 325.0);
    close(Some(outliers.longest_ms), 700.0);
    close(numbers.tps_per_sandbox, 1000.0 * 101.0 / ((100.0 + 197.0) / 2.0 * 98.0 + 1624.0));
    let mut rows = Rows::default();
    (0..39).for_each(|k| rows.warm("a", 1, f64::from(k)));
    assert_eq!(
        self::numbers(&rows.joined(), &[], 0.0).outliers,
        None,
        "39 values are too few for a quartile"
    );
}
