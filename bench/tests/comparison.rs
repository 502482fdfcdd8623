//! From rows to comparisons: rounds are paired, and each ratio is one that can be told beforehand.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

#[path = "support/rows.rs"]
mod rows;

use bench::comparison::{comparisons, pairs};
use bench::metrics::variant;
use bench::observation::Observation;
use bench::prices::Prices;
use bench::run_file::Comparison;
use bench::sample::Phase;
use bench::tracing_cost::SentBytes;
use bench::verdict::Verdict;
use rows::{Rows, close, function, sample};

#[test]
fn pairs_are_the_first_to_each_and_the_second_to_the_last() {
    assert_eq!(pairs(1, false), []);
    assert_eq!(pairs(2, false), [(0, 1)]);
    assert_eq!(pairs(3, false), [(0, 1), (0, 2), (1, 2)]);
    assert_eq!(pairs(4, false), [(0, 1), (0, 2), (0, 3), (1, 3)]);
    assert_eq!(pairs(4, true), [(0, 1), (0, 2), (0, 3)], "of a ladder");
}

fn compared(rows: Rows) -> Comparison {
    let observations = rows.joined();
    let prices = Prices::bundled("x86_64").unwrap();
    let of = |name: &str| {
        let own: Vec<&Observation> = observations.iter().filter(|seen| seen.sample.variant == name).collect();
        variant(
            &function(name),
            Some(if name == "a" { 400 } else { 100 }),
            &own,
            &[],
            2.0,
            &prices,
            &SentBytes::default(),
        )
    };
    comparisons(&[of("a"), of("b")], &observations, 3, &prices, false).remove(0)
}

#[test]
fn rounds_are_paired_and_drift_common_to_both_does_not_widen_the_interval() {
    let mut rows = Rows::default();
    for (round, drift) in [(1, 1.0), (2, 2.0), (3, 4.0)] {
        for k in 0..5 {
            rows.warm("a", round, drift * f64::from(100 + k));
            rows.warm("b", round, drift * f64::from(100 + k) / 4.0);
        }
        rows.cold("a", round, 40.0);
        // Only two of three rounds have a cold start of b.
        if round < 3 {
            rows.cold("b", round, 10.0);
        }
    }
    let comparison = compared(rows);
    assert_eq!((comparison.from.as_str(), comparison.to.as_str()), ("a", "b"));
    let metric = |name: &str| comparison.metrics.iter().find(|metric| metric.name == name).unwrap();
    for name in ["warm_ms_p50", "warm_ms_p90", "cpu_ms_per_invoke"] {
        let metric = metric(name);
        close(metric.ratio, 0.25);
        close(metric.interval.map(|[low, _]| low), 0.25);
        assert_eq!((metric.rounds, metric.verdict), (3, Some(Verdict::Better)), "{name}");
    }
    let init = metric("init_ms_p50");
    assert_eq!((init.ratio, init.rounds, init.verdict), (None, 0, Some(Verdict::NotMeasurable)));
    let package = metric("package_bytes");
    assert_eq!(
        (package.ratio, package.interval, package.rounds, package.verdict),
        (Some(0.25), None, 0, None)
    );
    assert!(!comparison.metrics.iter().any(|metric| metric.name.starts_with("load")), "there was no load");
}

#[test]
fn a_load_the_bench_itself_was_late_for_has_no_verdict() {
    let verdict = |b_ms: f64| {
        let mut rows = Rows::default();
        for round in 1..=3 {
            for k in 0..5 {
                rows.add(sample("a", round, Phase::Load, 100.0 + f64::from(k)), None);
                rows.add(sample("b", round, Phase::Load, b_ms + f64::from(k) / 10.0), None);
            }
        }
        let metrics = compared(rows).metrics;
        metrics.into_iter().find(|metric| metric.name == "load_response_ms_p50").unwrap().verdict
    };
    assert_eq!(verdict(20.0), Some(Verdict::Better));
    assert_eq!(verdict(1.5), Some(Verdict::NotMeasurable));
}
