//! From rows to comparisons: rounds are paired, and each ratio and each reason is one that can be told beforehand.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

#[path = "support/rows.rs"]
mod rows;

use bench::comparison::{comparisons, pairs};
use bench::metrics::variant;
use bench::noise_floor::{controls, noise_floor};
use bench::observation::Observation;
use bench::prices::Prices;
use bench::rounds::Rounds;
use bench::run_file::{ComparedMetric, Comparison};
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

/// `b` / `a`, with the variants of `control` as controls.
fn compared(rows: Rows, rounds: u32, control: &[&str]) -> Comparison {
    let observations = rows.joined();
    let prices = Prices::bundled("x86_64").unwrap();
    let of = |name: &str| {
        let own: Vec<&Observation> = observations.iter().filter(|seen| seen.sample.variant == name).collect();
        let bytes = Some(if name == "a" { 400 } else { 100 });
        variant(&function(name), bytes, &own, &[], 2.0, &prices, &SentBytes::default())
    };
    let control: Vec<String> = control.iter().map(|name| (*name).to_owned()).collect();
    let controls = controls(&control, &observations, rounds, &prices);
    comparisons(&[of("a"), of("b")], &observations, rounds, &prices, &controls, false).remove(0)
}

fn metric<'a>(comparison: &'a Comparison, name: &str) -> &'a ComparedMetric {
    comparison.metrics.iter().find(|metric| metric.name == name).unwrap()
}

/// `count` warm requests of `name`, the middle one at `middle_ms`, the others up to 1 % from it.
fn warm(rows: &mut Rows, name: &str, round: u32, middle_ms: f64, count: u32) {
    let middle = f64::from(count - 1) / 2.0;
    (0..count)
        .for_each(|k| rows.warm(name, round, middle_ms * (1.0 + (f64::from(k) - middle) / middle / 100.0)));
}

/// Arrivals of `name` that were answered after `response_ms`; the bench sent each 0.5 ms late.
fn load(rows: &mut Rows, name: &str, round: u32, response_ms: f64, count: u32) {
    (0..count).for_each(|_| rows.add(sample(name, round, Phase::Load, response_ms), None));
}

#[test]
fn rounds_are_paired_and_drift_common_to_both_does_not_widen_the_interval() {
    let mut rows = Rows::default();
    for (round, drift) in [(1, 1.0), (2, 2.0), (3, 4.0), (4, 3.0)] {
        warm(&mut rows, "a", round, drift * 100.0, 25);
        warm(&mut rows, "b", round, drift * 25.0, 25);
    }
    let comparison = compared(rows, 4, &[]);
    assert_eq!((comparison.from.as_str(), comparison.to.as_str()), ("a", "b"));
    for name in ["warm_ms_p50", "warm_ms_p90", "cpu_ms_per_invoke"] {
        let metric = metric(&comparison, name);
        close(metric.ratio, 0.25);
        close(metric.interval.map(|[low, _]| low), 0.25);
        assert_eq!(
            (metric.rounds, metric.per_round.len(), metric.verdict),
            (4, 4, Some(Verdict::Better)),
            "{name}"
        );
        assert_eq!((metric.reason.as_deref(), metric.void_rounds.len()), (None, 0), "{name}");
    }
    let package = metric(&comparison, "package_bytes");
    let plain = (package.ratio, package.interval, package.rounds, package.verdict, package.reason.as_deref());
    assert_eq!(plain, (Some(0.25), None, 0, None, None));
    assert!(!comparison.metrics.iter().any(|metric| metric.name.starts_with("load")), "there was no load");
}

fn unmeasurable(metric: &ComparedMetric) -> &str {
    let nothing = (metric.ratio, metric.interval, metric.rounds, metric.per_round.len(), metric.verdict);
    assert_eq!(nothing, (None, None, 0, 0, Some(Verdict::NotMeasurable)), "{metric:?}");
    metric.reason.as_deref().unwrap()
}

#[test]
fn a_quantile_is_compared_with_ten_values_beyond_it_in_all_rounds_together() {
    let of = |count| {
        let mut rows = Rows::default();
        for round in 1..=4 {
            warm(&mut rows, "a", round, 100.0, 250);
            warm(&mut rows, "b", round, 50.0, if round == 4 { count } else { 250 });
        }
        compared(rows, 4, &[])
    };
    assert_eq!(metric(&of(250), "warm_ms_p99").verdict, Some(Verdict::Better));
    let one_less = of(249);
    assert_eq!(unmeasurable(metric(&one_less, "warm_ms_p99")), "999 values; a p99 needs 1000");
    assert_eq!(metric(&one_less, "warm_ms_p90").verdict, Some(Verdict::Better));
}

#[test]
fn a_round_has_a_median_of_a_few_and_a_tail_of_no_fewer_than_reach_beyond_it() {
    let mut rows = Rows::default();
    for round in 1..=4 {
        let count = if round == 3 { 9 } else { 50 };
        warm(&mut rows, "a", round, 100.0, count);
        warm(&mut rows, "b", round, 50.0, count);
        // Five each round: 20 together, as many as a p50 needs. Of b's, round 2 has none.
        (0..5).for_each(|_| rows.cold("a", round, 40.0));
        (0..if round == 2 { 0 } else { 8 }).for_each(|_| rows.cold("b", round, 20.0));
    }
    let comparison = compared(rows, 4, &[]);
    assert_eq!(metric(&comparison, "warm_ms_p50").verdict, Some(Verdict::Better));
    assert_eq!(unmeasurable(metric(&comparison, "warm_ms_p90")), "round 3 has 9 values; it needs 10");
    assert_eq!(unmeasurable(metric(&comparison, "init_ms_p50")), "round 2 has 0 values; it needs 1");
}

#[test]
fn a_value_of_zero_has_no_ratio_and_one_round_no_interval() {
    let mut rows = Rows::default();
    for round in 1..=2 {
        warm(&mut rows, "a", round, 100.0, 10);
        warm(&mut rows, "b", round, if round == 2 { 0.0 } else { 50.0 }, 10);
    }
    let comparison = compared(rows, 2, &[]);
    assert_eq!(
        unmeasurable(metric(&comparison, "warm_ms_p50")),
        "round 2 has a value of 0, which has no ratio"
    );
    let mut rows = Rows::default();
    warm(&mut rows, "a", 1, 100.0, 50);
    warm(&mut rows, "b", 1, 100.0, 50);
    let comparison = compared(rows, 1, &[]);
    let reason = "too few rounds to pair: 1; it needs 2, one of each order";
    assert_eq!(unmeasurable(metric(&comparison, "warm_ms_p50")), reason);
}

/// The rows' send lag is 0.5 ms: more than a quarter of 1.9 ms, less than one of 2.1 ms.
#[test]
fn a_round_that_the_bench_was_late_in_is_left_out_and_listed_whichever_variant_it_was() {
    let with_late = |late: &[(&str, u32)]| {
        let mut rows = Rows::default();
        for round in 1..=4 {
            for (name, response_ms) in [("a", 100.0), ("b", 50.0)] {
                let is_late = late.contains(&(name, round));
                load(&mut rows, name, round, if is_late { 1.9 } else { response_ms }, 25);
                warm(&mut rows, name, round, response_ms, 5);
            }
        }
        compared(rows, 4, &[])
    };
    let comparison = with_late(&[("a", 1), ("b", 2)]);
    let response = metric(&comparison, "load_response_ms_p50");
    close(response.ratio, 0.5);
    assert_eq!((response.rounds, response.per_round.len(), response.verdict), (2, 2, Some(Verdict::Better)));
    assert_eq!(response.void_rounds, [1, 2]);
    assert!(metric(&comparison, "warm_ms_p50").void_rounds.is_empty(), "there was no load in the warm phase");
    let tail = metric(&comparison, "load_response_ms_p99");
    assert_eq!(unmeasurable(tail), "50 values; a p99 needs 1000");
    assert_eq!(tail.void_rounds, [1, 2]);
    // Rounds 1 and 3 run forward: what the order does could not be told from what the variants do.
    let comparison = with_late(&[("a", 2), ("a", 4)]);
    let reason = "generator-limited: the bench itself sent too late in 2 of 4 rounds";
    assert_eq!(unmeasurable(metric(&comparison, "load_response_ms_p50")), reason);
    let comparison = with_late(&[]);
    assert_eq!(metric(&comparison, "load_response_ms_p50").rounds, 4);
}

/// `b` is 3 % faster than `a` in each round; its second measurement is `noise` slower than its first in every other round.
fn with_control(noise: f64) -> Comparison {
    let mut rows = Rows::default();
    for round in 1..=4 {
        warm(&mut rows, "a", round, 100.0, 25);
        warm(&mut rows, "b", round, 97.0, 25);
        warm(&mut rows, "b-control", round, 97.0 * if round % 2 == 0 { 1.0 + noise } else { 1.0 }, 25);
    }
    compared(rows, 4, &["b"])
}

#[test]
fn a_difference_no_greater_than_a_variants_own_is_none() {
    let noisy = with_control(0.04);
    let warm = metric(&noisy, "warm_ms_p50");
    close(warm.ratio, 0.97);
    assert_eq!(warm.verdict, Some(Verdict::NoDifferenceShown));
    // The mean of 0, ln 1.04, 0, ln 1.04, and 3.182 times its standard error, to either side of 1.
    assert_eq!(warm.reason.as_deref(), Some("inside the noise floor 0.946 to 1.06"));
    let quiet = with_control(0.004);
    assert_eq!(metric(&quiet, "warm_ms_p50").verdict, Some(Verdict::Better));
    assert_eq!(metric(&quiet, "warm_ms_p50").reason, None);
}

#[test]
fn of_several_controls_the_widest_is_the_floor_and_none_is_made_up() {
    let mut rows = Rows::default();
    for round in 1..=4 {
        for (name, noise) in [("a", 0.01), ("b", 0.03)] {
            warm(&mut rows, name, round, 100.0, 25);
            let second_ms = if round % 2 == 0 { 100.0 * (1.0 + noise) } else { 100.0 };
            warm(&mut rows, &format!("{name}-control"), round, second_ms, 25);
        }
    }
    let names = ["a".to_owned(), "b".to_owned()];
    let controls = controls(&names, &rows.joined(), 4, &Prices::bundled("x86_64").unwrap());
    assert_eq!(controls.iter().map(|control| control.of.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let [low, high] = noise_floor(&controls, "warm_ms_p50").unwrap();
    let [_, widest] = controls[1].metrics[0].interval.unwrap();
    close(Some(high), widest);
    close(Some(low), 1.0 / widest);
    assert_eq!(noise_floor(&controls, "warm_ms_p99"), None, "100 values are too few");
    assert_eq!(noise_floor(&controls, "load_response_ms_p50"), None, "a control has no load turn");
    assert_eq!(noise_floor(&[], "warm_ms_p50"), None);
}

#[test]
fn a_variants_values_by_round_are_those_it_is_compared_by() {
    let mut rows = Rows::default();
    for (round, drift) in [(1, 1.0), (2, 2.0), (3, 4.0), (4, 3.0)] {
        warm(&mut rows, "a", round, drift * 100.0, 150);
        warm(&mut rows, "b", round, drift * 50.0, 25);
        load(&mut rows, "a", round, if round == 2 { 1.9 } else { 100.0 }, 10);
    }
    let observations = rows.joined();
    let prices = Prices::bundled("x86_64").unwrap();
    let of = |name: &str| Rounds::of(name, &observations, 4, &prices).published();
    let (a, b) = (of("a"), of("b"));
    let numbers: Vec<f64> = a["warm_ms_p50"].iter().map(|value| value.unwrap()).collect();
    [100.0, 200.0, 400.0, 300.0]
        .iter()
        .zip(numbers)
        .for_each(|(expected, value)| close(Some(value), *expected));
    assert_eq!(a["warm_ms_p99"], [None; 4], "each round has 150 values, but all of them are 600");
    assert!(a["warm_ms_p90"].iter().all(Option::is_some));
    assert_eq!(a["load_response_ms_p50"], [Some(100.0), None, Some(100.0), Some(100.0)], "round 2 was late");
    assert!(!b.contains_key("load_response_ms_p50"), "b had no load");
    assert_eq!(a["init_ms_p50"], [None; 4]);
}

#[test]
fn a_round_far_from_the_others_is_flagged_and_stays_in_the_figures() {
    let mut rows = Rows::default();
    for round in 1..=10 {
        warm(&mut rows, "a", round, 100.0, 25);
        let usual_ms = 50.0 + f64::from(round) / 10.0;
        warm(&mut rows, "b", round, if round == 7 { 500.0 } else { usual_ms }, 25);
    }
    let comparison = compared(rows, 10, &[]);
    let warm = metric(&comparison, "warm_ms_p50");
    assert_eq!((warm.outlier_rounds.as_slice(), warm.rounds), ([7].as_slice(), 10));
    close(Some(warm.per_round[6]), 5.0);
}
