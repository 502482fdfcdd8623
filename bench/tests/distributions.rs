//! What pictures are drawn from, each number against one done by hand.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

#[path = "support/rows.rs"]
mod rows;

use bench::distributions::{distribution, distributions, load_seconds};
use bench::observation::Observation;
use bench::run_file::LoadSecond;
use bench::sample::Phase;
use lambda_lab::records::Invocation;
use rows::{Rows, cold, dropped, invocation, sample};

#[test]
fn percentiles_are_values_that_were_measured() {
    let hundred = distribution((1..=200).rev().map(f64::from).collect()).unwrap();
    assert_eq!((hundred.count, hundred.percentiles.len()), (200, 101));
    let at = |percent: usize| hundred.percentiles[percent];
    assert_eq!([at(0), at(1), at(50), at(99), at(100)], [1.0, 2.0, 100.0, 198.0, 200.0]);
    let three = distribution(vec![5.0, 1.0, 9.0]).unwrap();
    assert_eq!(
        [0, 33, 34, 50, 67, 100].map(|percent| three.percentiles[percent]),
        [1.0, 1.0, 5.0, 5.0, 9.0, 9.0]
    );
    assert_eq!(distribution(Vec::new()), None);
}

#[test]
fn each_series_has_its_own_distribution() {
    let mut rows = Rows::default();
    rows.warm("a", 1, 4.0);
    rows.cold("a", 1, 30.0);
    let observations = rows.joined();
    let drawn = distributions(&observations.iter().collect::<Vec<_>>());
    let least = |one: &Option<bench::run_file::Distribution>| one.as_ref().map(|one| one.percentiles[0]);
    let all = [&drawn.warm_ms, &drawn.response_ms, &drawn.cold_ms, &drawn.init_ms, &drawn.load_ms].map(least);
    assert_eq!(all, [Some(4.0), Some(5.0), Some(40.0), Some(30.0), None]);
}

/// A request of the load phase that was to be sent at `second`, and the sandbox that served it.
fn load(rows: &mut Rows, round: u32, second: f64, response_ms: f64, sandbox: &str, init_ms: Option<f64>) {
    let mut sample = sample("a", round, Phase::Load, 0.0);
    sample.intended_us = (second * 1e6) as u64;
    sample.done_us = Some(sample.intended_us + (response_ms * 1e3) as u64);
    let record = init_ms.map_or_else(|| invocation(&sample, 1.0), |init_ms| cold(&sample, init_ms, 1.0));
    rows.add(sample, Some(Invocation { sandbox: sandbox.into(), ..record }));
}

#[test]
fn every_request_under_load_is_in_the_second_it_was_meant_for() {
    let mut rows = Rows::default();
    load(&mut rows, 1, 0.2, 40.0, "s1", Some(30.0));
    load(&mut rows, 1, 0.999_999, 2.0, "s2", None);
    load(&mut rows, 2, 0.5, 4.0, "s3", None);
    // It ends in second 3, but belongs to second 2.
    load(&mut rows, 1, 2.0, 1_500.0, "s1", None);
    rows.add(dropped(sample("a", 2, Phase::Load, 0.0)), None);
    let observations: Vec<Observation> = rows.joined();
    let seconds = load_seconds(&observations.iter().collect::<Vec<_>>());
    let first = LoadSecond {
        second: 0,
        requests: 3,
        failed: 0,
        cold_starts: 1,
        warm_p50_ms: Some(3.0),
        warm_max_ms: Some(4.0),
        cold_max_ms: Some(40.0),
        sandboxes: 2,
    };
    let none =
        LoadSecond { cold_starts: 0, warm_p50_ms: None, warm_max_ms: None, cold_max_ms: None, ..first };
    let lost = LoadSecond { second: 1, requests: 1, failed: 1, sandboxes: 0, ..none };
    let late = Some(1_500.0);
    let third =
        LoadSecond { second: 2, requests: 1, warm_p50_ms: late, warm_max_ms: late, sandboxes: 1, ..none };
    assert_eq!(seconds, [first, lost, third]);
}
