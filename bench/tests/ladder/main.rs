//! From values by round to a ladder, and what the outputs make of it.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

mod command;
mod outputs;
mod rows;
#[path = "../support/mod.rs"]
mod support;

use bench::ladder::{Metric, Way, rungs, way};
use bench::run_file::{Earned, Rung};
use bench::verdict::Verdict;
use rows::{Step, functions, run, six, step, variants};

fn earned<'a>(ladder: &'a [Rung], rung: &str, metric: &str) -> &'a Earned {
    let rung = ladder.iter().find(|other| other.rung == rung).unwrap();
    rung.metrics.iter().find(|earned| earned.name == metric).unwrap()
}

fn close(left: Option<f64>, right: f64) {
    let left = left.unwrap();
    assert!((left - right).abs() < 1e-9 * right.abs().max(1.0), "{left} is not {right}");
}

fn ladder(steps: &[Step<'_>]) -> Vec<Rung> {
    rungs(&functions(steps), &variants(steps), |_| None)
}

#[test]
fn a_rung_is_told_with_its_value_what_it_saved_and_the_paired_ratio() {
    let ladder = ladder(&[
        step("a", "", 80.0),
        step("b", "lever = \"half\"", 40.0),
        step("c", "lever = \"more\"", 50.0),
    ]);
    let told: Vec<_> =
        ladder.iter().map(|rung| (rung.lever.as_deref(), rung.against.as_deref(), rung.beside)).collect();
    assert_eq!(
        told,
        [(None, None, false), (Some("half"), Some("a"), false), (Some("more"), Some("b"), false)]
    );
    let names: Vec<_> = ladder[1].metrics.iter().map(|earned| earned.name.as_str()).collect();
    assert_eq!(names, Metric::ALL.map(Metric::name));

    let foot = earned(&ladder, "a", "warm_ms_p50");
    // The drift's geometric mean is 1.
    close(foot.value, 80.0);
    assert_eq!((foot.saved, foot.ratio, foot.verdict), (None, None, None));
    let half = earned(&ladder, "b", "warm_ms_p50");
    close(half.value, 40.0);
    close(half.saved, 40.0);
    close(half.ratio, 0.5);
    close(half.interval.map(|[low, _]| low), 0.5);
    assert_eq!((half.verdict, &half.reason), (Some(Verdict::Better), &None));
    let more = earned(&ladder, "c", "warm_ms_p50");
    close(more.saved, -10.0);
    close(more.ratio, 1.25);
    assert_eq!(more.verdict, Some(Verdict::Worse));
    assert_eq!(earned(&ladder, "b", "init_ms_p50").verdict, Some(Verdict::NoDifferenceShown));
}

#[test]
fn a_metric_that_a_round_lacks_is_not_measurable_and_says_how_many_rounds() {
    let steps = [step("a", "", 80.0), step("b", "lever = \"half\"", 40.0)];
    let mut variants = variants(&steps);
    variants[1].per_round.get_mut("warm_ms_p50").unwrap()[1] = None;
    variants[1].per_round.remove("cold_ms_p50");
    let ladder = rungs(&functions(&steps), &variants, |_| None);
    let half = earned(&ladder, "b", "warm_ms_p50");
    // The other three rounds' own value stands: 40 * (1 * 0.8 * 1)^(1/3).
    close(half.value, 40.0 * 0.8_f64.powf(1.0 / 3.0));
    assert_eq!((half.saved, half.ratio, half.interval), (None, None, None));
    assert_eq!(half.verdict, Some(Verdict::NotMeasurable));
    assert_eq!(half.reason.as_deref(), Some("1 of 4 rounds lack it"));
    let cold = earned(&ladder, "b", "cold_ms_p50");
    assert_eq!((cold.value, cold.saved, cold.verdict), (None, None, Some(Verdict::NotMeasurable)));
}

#[test]
fn plain_metrics_have_a_ratio_and_no_interval_or_verdict() {
    let lighter = Step { package_bytes: Some(2_000_000), ..step("b", "lever = \"x\"", 40.0) };
    let unknown = Step { package_bytes: None, ..step("c", "lever = \"y\"", 40.0) };
    let steps = [step("a", "", 80.0), lighter, unknown];
    let mut variants = variants(&steps);
    variants[0].throttled_ms_per_invoke = Some(4.0);
    variants[1].throttled_ms_per_invoke = Some(0.0);
    variants[2].throttled_ms_per_invoke = Some(1.0);
    let ladder = rungs(&functions(&steps), &variants, |_| None);
    let package = earned(&ladder, "b", "package_bytes");
    assert_eq!((package.value, package.saved, package.ratio), (Some(2e6), Some(6e6), Some(0.25)));
    assert_eq!((package.interval, package.verdict), (None, None));
    let unknown = earned(&ladder, "c", "package_bytes");
    assert_eq!((unknown.value, unknown.saved, unknown.ratio), (None, None, None));
    let throttled = |rung| earned(&ladder, rung, "throttled_ms_per_invoke");
    assert_eq!((throttled("b").saved, throttled("b").ratio), (Some(4.0), Some(0.0)));
    // From nothing there is no ratio, but a difference.
    assert_eq!((throttled("c").saved, throttled("c").ratio), (Some(-1.0), None));
}

#[test]
fn what_the_control_shows_as_well_is_no_difference_and_says_so() {
    let steps =
        [step("a", "", 80.0), step("b", "lever = \"a little\"", 78.0), step("c", "lever = \"a lot\"", 40.0)];
    let floor = |name: &str| (name == "warm_ms_p50").then_some([0.95, 1.05]);
    let ladder = rungs(&functions(&steps), &variants(&steps), floor);
    let little = earned(&ladder, "b", "warm_ms_p50");
    assert_eq!(little.verdict, Some(Verdict::NoDifferenceShown));
    assert_eq!(little.reason.as_deref(), Some("inside the noise floor 0.950 to 1.05"));
    assert_eq!(earned(&ladder, "c", "warm_ms_p50").verdict, Some(Verdict::Better));
    assert_eq!(earned(&ladder, "b", "cpu_ms_per_invoke").verdict, Some(Verdict::Better), "it has no floor");
}

#[test]
fn variants_that_are_no_rung_are_not_on_the_ladder() {
    assert!(ladder(&[step("a", "", 1.0), step("b", "", 2.0)]).is_empty());
    let steps = [
        step("other", "", 9.0),
        step("a", "", 8.0),
        step("b", "lever = \"x\"", 4.0),
        step("c", "", 3.0),
        step("d", "lever = \"y\"\nagainst = \"c\"", 2.0),
        step("slower", "", 10.0),
    ];
    let ladder = ladder(&steps);
    let names: Vec<_> = ladder.iter().map(|rung| rung.rung.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
    assert_eq!(ladder[3].against.as_deref(), Some("c"));
}

fn warm(way: &Way) -> Vec<Option<f64>> {
    way.lines.iter().map(|line| line.share).collect()
}

#[test]
fn shares_are_of_the_way_on_a_log_scale_and_are_one_together() {
    let steps = [
        step("a", "", 80.0),
        step("b", "lever = \"x\"", 40.0),
        step("c", "lever = \"y\"", 160.0),
        step("d", "lever = \"z\"", 10.0),
        step("floor", "lever = \"floor\"\nagainst = \"d\"", 1.0),
    ];
    let way = way(&run(&steps, "loopback"), "loopback", Metric::Warm);
    let whole = way.whole.as_ref().unwrap();
    assert_eq!((whole.foot.as_str(), whole.top.as_str()), ("a", "d"));
    close(whole.ratio, 0.125);
    // Three halvings: one gained, two lost again, four gained; the floor is no part of the way.
    let shares = warm(&way);
    assert_eq!((shares[0], shares[4]), (None, None));
    for (share, thirds) in shares[1..4].iter().zip([1.0, -2.0, 4.0]) {
        close(*share, thirds / 3.0);
    }
    let words: Vec<_> = way.lines.iter().map(bench::ladder::Line::word).collect();
    assert_eq!(words, ["", "earned", "cost more", "earned", "earned"]);
}

#[test]
fn where_no_gain_was_shown_from_foot_to_top_there_are_no_shares() {
    let mut noisy = run(&six(0.0), "loopback");
    noisy.comparisons[0].metrics[0].verdict = Some(Verdict::NoDifferenceShown);
    assert!(warm(&way(&noisy, "x", Metric::Warm)).iter().all(Option::is_none));
    let slower = run(&[step("a", "", 10.0), step("b", "lever = \"x\"", 20.0)], "loopback");
    assert!(warm(&way(&slower, "x", Metric::Warm)).iter().all(Option::is_none));
}
