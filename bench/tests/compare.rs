//! Two runs beside each other: the drift and what is left of a change without it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what failed by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use bench::compare::changes::Change;
use bench::compare::report::{Report, VariantChange, compare};
use bench::compare::{markdown, text};
use bench::run_file::{ComparedMetric, RunFile};
use bench::table;
use bench::verdict::Verdict;
use serde_json::Value;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The fixture with two variants and these rounds of `warm_ms_p50`, milliseconds.
fn run(baseline: &[f64], optimized: &[f64]) -> RunFile {
    let mut run = RunFile::load(&fixtures().join("run.json")).unwrap();
    run.variants.retain(|variant| ["baseline", "optimized"].contains(&variant.name.as_str()));
    run.comparisons.retain(|seen| seen.from == "baseline" && seen.to == "optimized");
    for (variant, rounds) in run.variants.iter_mut().zip([baseline, optimized]) {
        let rounds = rounds.iter().copied().map(Some).collect();
        variant.per_round = [("warm_ms_p50".to_owned(), rounds)].into();
    }
    run
}

fn compared(from: &RunFile, to: &RunFile) -> Report {
    compare((from, Path::new("before/run.json")), (to, Path::new("after/run.json")), None).unwrap()
}

fn change<'a>(changes: &'a [VariantChange], variant: &str, metric: &str) -> &'a Change {
    let changed = changes.iter().find(|changed| changed.variant == variant).unwrap();
    changed.metrics.iter().find(|change| change.name == metric).unwrap()
}

fn warm<'a>(changes: &'a [VariantChange], variant: &str) -> &'a Change {
    change(changes, variant, "warm_ms_p50")
}

fn close(left: f64, right: f64) {
    assert!((left / right - 1.0).abs() < 1e-9, "{left} is not {right}");
}

/// Rounds in which both variants share the round's luck, which is much greater than what is looked for.
fn rounds(times: f64) -> Vec<f64> {
    [100.0, 112.0, 95.0, 108.0].iter().map(|value| value * times).collect()
}

#[test]
fn a_slower_world_is_drift_and_not_the_commits_fault() {
    let from = run(&rounds(1.0), &rounds(0.10));
    let to = run(&rounds(1.5), &[15.1, 16.7, 14.3, 16.1]);
    let report = compared(&from, &to);
    assert_eq!(report.reference, "baseline");
    let measured = warm(&report.as_measured, "optimized");
    assert!(measured.verdict == Some(Verdict::Worse) && measured.ratio.unwrap() > 1.4, "{measured:?}");
    close(warm(&report.as_measured, "baseline").ratio.unwrap(), 1.5);
    let relative = warm(&report.relative, "optimized");
    assert_eq!(relative.verdict, Some(Verdict::NoDifferenceShown), "{relative:?}");
    assert!((relative.ratio.unwrap() - 1.0).abs() < 0.01, "{relative:?}");
    close(relative.from.unwrap(), 0.10);
    assert_eq!(relative.rounds, [4, 4]);
    assert_eq!(report.relative.len(), 1, "the reference is related to nothing");
}

#[test]
fn a_tenth_more_is_found_although_the_world_got_faster() {
    let from = run(&rounds(1.0), &[10.0, 11.3, 9.5, 10.8]);
    let to = run(&rounds(0.5), &[5.5, 6.1, 5.3, 5.9]);
    let report = compared(&from, &to);
    assert_eq!(warm(&report.as_measured, "optimized").verdict, Some(Verdict::Better), "the drift");
    let relative = warm(&report.relative, "optimized");
    assert_eq!(relative.verdict, Some(Verdict::Worse), "{relative:?}");
    assert!((1.05..1.15).contains(&relative.ratio.unwrap()), "{relative:?}");
}

/// The interval is Welch's on the logarithms: with rounds of e^x, x as in the sleep data of `welch.rs`.
#[test]
fn the_interval_is_welchs_on_the_logarithms_of_the_rounds() {
    let exponentials = |values: &[f64]| values.iter().map(|value| value.exp()).collect::<Vec<_>>();
    let first = exponentials(&[0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]);
    let second = exponentials(&[1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]);
    let report = compared(&run(&second, &first), &run(&first, &first));
    let measured = warm(&report.as_measured, "baseline");
    let [low, high] = measured.interval.unwrap();
    assert!((low.ln() + 3.365_483_2).abs() < 1e-6 && (high.ln() - 0.205_483_2).abs() < 1e-6, "{measured:?}");
    assert!((measured.degrees_of_freedom.unwrap() - 17.776).abs() < 5e-4, "{measured:?}");
    close(measured.ratio.unwrap(), (-1.58_f64).exp());
}

#[test]
fn what_a_round_lacks_is_not_measurable_and_void_rounds_are_left_out() {
    let from = run(&rounds(1.0), &rounds(0.1));
    let mut to = run(&rounds(1.0), &rounds(0.1));
    to.variants[1].per_round.get_mut("warm_ms_p50").unwrap()[1] = None;
    let report = compared(&from, &to);
    for change in [warm(&report.as_measured, "optimized"), warm(&report.relative, "optimized")] {
        assert_eq!((change.verdict, change.ratio), (Some(Verdict::NotMeasurable), None));
        assert_eq!(change.reason.as_deref(), Some("the second run: optimized has no value in round 2"));
    }
    assert!(text::render(&report).contains("warm p50: the second run: optimized has no value in round 2."));

    let metric = to.comparisons[0].metrics.iter_mut().find(|metric| metric.name == "warm_ms_p50").unwrap();
    let void: &mut ComparedMetric = metric;
    void.void_rounds = vec![2];
    let report = compared(&from, &to);
    assert_eq!(warm(&report.as_measured, "optimized").rounds, [4, 3]);
    assert_eq!(warm(&report.relative, "optimized").rounds, [4, 3]);
    assert!(warm(&report.relative, "optimized").interval.is_some());

    let short = run(&[1.0], &[2.0]);
    let reason = warm(&compared(&from, &short).relative, "optimized").reason.clone().unwrap();
    assert_eq!(reason, "an interval needs 2 rounds of each run, there are 4 and 1");
}

#[test]
fn what_cannot_stand_beside_each_other_says_why() {
    let with = |mut run: RunFile| {
        for variant in &mut run.variants {
            let rounds = variant.per_round["warm_ms_p50"].clone();
            variant.per_round.insert("load_response_ms_p50".to_owned(), rounds.clone());
            variant.per_round.insert("cost_per_million_usd".to_owned(), rounds);
        }
        run
    };
    let from = with(run(&rounds(1.0), &rounds(0.1)));
    let mut to = from.clone();
    to.environment.profile.scenarios.pop();
    to.environment.prices.read_on = "2027-01-01".to_owned();
    to.variants[1].per_round.remove("warm_ms_p50");
    let report = compared(&from, &to);
    let reason = |metric| change(&report.relative, "optimized", metric).reason.clone().unwrap();
    assert_eq!(reason("load_response_ms_p50"), "the load phases of the runs have other arrivals");
    assert_eq!(reason("cost_per_million_usd"), "the runs were priced by other lists");
    assert_eq!(reason("warm_ms_p50"), "the second run: optimized has no values of it by round");
    let mut late = from.clone();
    late.variants[1].load.as_mut().unwrap().generator_limited = true;
    let report = compared(&late, &from);
    let load = change(&report.relative, "optimized", "load_response_ms_p50");
    assert_eq!(load.reason.as_deref(), Some("the first run: the bench itself sent too late to optimized"));
}

#[test]
fn what_differs_is_listed_and_another_experiment_is_a_warning_at_the_top() {
    let from = run(&rounds(1.0), &rounds(0.1));
    let mut to = from.clone();
    let report = compared(&from, &to);
    assert!(report.warnings.is_empty() && report.differs.is_empty(), "{report:?}");
    to.environment.rustc = Some("rustc 1.96.0".to_owned());
    to.environment.git_sha = Some("fedcba9876543210".to_owned());
    to.environment.profile.warm_requests = 500;
    to.environment.servers.insert("redis".to_owned(), "8.0.0".to_owned());
    to.variants[1].memory_mb = 512;
    let report = compared(&from, &to);
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    for part in [
        "commit: 0123456789ab with changes -> fedcba987654 with changes",
        "-> rustc 1.96.0",
        "warm requests a round: 370 -> 500",
        "redis: 7.0.15 -> 8.0.0",
        "memory of optimized, MB: 1024 -> 512",
    ] {
        assert!(report.differs.iter().any(|line| line.contains(part)), "{part}: {:?}", report.differs);
    }
    to.environment.network.name = "loopback".to_owned();
    to.environment.limits = "none".to_owned();
    to.environment.tracing = bench::sampling::Tracing::Off;
    let report = compared(&from, &to);
    assert_eq!(report.warnings.len(), 3, "{:?}", report.warnings);
    let rendered = text::render(&report);
    assert!(rendered.starts_with("WARNING, not the same experiment"), "{rendered}");
    assert!(
        rendered.replace("\n  ", " ").contains("network: same-az -> loopback; limits: cgroup v2 -> none"),
        "{rendered}"
    );
}

#[test]
fn variants_of_one_run_alone_are_named_and_the_reference_must_be_in_both() {
    let from = RunFile::load(&fixtures().join("run.json")).unwrap();
    let mut to = run(&rounds(1.0), &rounds(0.1));
    to.variants[1].name = "new".to_owned();
    let report = compared(&from, &to);
    assert_eq!(report.only_in_from, ["baseline-reused", "optimized-256mb", "optimized"]);
    assert_eq!(report.only_in_to, ["new"]);
    assert!(text::render(&report).contains("only in to, so not compared: new."));
    assert!(report.relative.is_empty());
    let path = Path::new("run.json");
    let message = compare((&from, path), (&to, path), Some("new")).unwrap_err().to_string();
    assert_eq!(message, "--reference \"new\" is not a variant of both runs; both have: baseline");
    to.variants[0].name = "other".to_owned();
    let message = compare((&from, path), (&to, path), None).unwrap_err().to_string();
    assert!(message.contains("no variant in common") && message.contains("other, new"), "{message}");
}

#[test]
fn no_line_is_too_wide_and_the_markdown_says_the_same() {
    let mut from = run(&rounds(1.0), &rounds(0.1));
    let mut to = run(&rounds(1.5), &rounds(0.2));
    for run in [&mut from, &mut to] {
        run.variants[1].name = "n".repeat(64);
        run.comparisons.clear();
    }
    to.variants[1].per_round.insert("cold_ms_p50".to_owned(), vec![None]);
    let report = compared(&from, &to);
    let rendered = text::render(&report);
    for line in rendered.lines() {
        assert!(
            line.chars().count() <= usize::from(table::WIDTH),
            "{} columns: {line}",
            line.chars().count()
        );
    }
    let page = markdown::render(&report);
    for part in [
        "| warm p50 | 104 | 155 | 1.50 |",
        "## As measured",
        "## Relative to baseline",
        "no values of it by round",
    ] {
        assert!(page.contains(part), "{part:?} is missing in:\n{page}");
    }
    assert!(rendered.contains("baseline: the drift"), "{rendered}");
}

/// A folder with the two runs, each in its own.
fn on_disk(from: &RunFile, to: &RunFile) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, run) in [("before", from), ("after", to)] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join("run.json"), serde_json::to_vec(run).unwrap()).unwrap();
    }
    folder
}

fn bench(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    let output = command.current_dir(folder).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn folders_and_files_are_read_and_each_format_is_written() {
    let folder = on_disk(&run(&rounds(1.0), &rounds(0.1)), &run(&rounds(1.5), &rounds(0.15)));
    let (code, table, said) = bench(folder.path(), &["compare", "before", "after/run.json"]);
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert!(table.contains("optimized / baseline") && table.contains("before/run.json: began"), "{table}");
    let (code, json, _) = bench(folder.path(), &["compare", "before", "after", "--format", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (code, &json["relative"][0]["metrics"][0]["verdict"]),
        (Some(0), &"no difference shown".into())
    );
    let (code, page, _) = bench(folder.path(), &["compare", "before", "after", "--format", "markdown"]);
    assert!(code == Some(0) && page.starts_with("# 0123456789ab"), "{page}");
    let (code, _, said) = bench(folder.path(), &["compare", "before", "nowhere"]);
    assert!(code == Some(1) && said.contains("nowhere") && said.contains("`bench run` wrote"), "{said}");
}

#[test]
fn gates_ask_every_variant_and_the_drift_fails_none() {
    let folder = on_disk(&run(&rounds(1.0), &rounds(0.1)), &run(&rounds(1.5), &[15.1, 16.7, 14.3, 16.1]));
    let judged = |gates: &[&str]| {
        let mut arguments = vec!["compare", "before", "after"];
        arguments.extend(gates.iter().flat_map(|gate| ["--fail-if", gate]));
        let (code, stdout, stderr) = bench(folder.path(), &arguments);
        assert!(!stdout.contains("gate:"), "{stdout}");
        (code, stderr)
    };
    let (code, said) = judged(&["warm_ms_p50 ratio > 1.10", "warm_ms_p50 verdict is worse"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("gate: optimized: warm_ms_p50 ratio > 1.10: passed, 0.99"), "{said}");
    let (code, said) = judged(&["optimized/baseline warm_ms_p50 ratio < 1.10"]);
    assert!(code == Some(3) && said.contains("FAILED, 0.99"), "{said}");
    let (code, said) = judged(&["warm_ms_p99 ratio > 1.10"]);
    assert!(code == Some(4) && said.contains("NOT JUDGED, not measurable, neither run has"), "{said}");
    let (code, said) = judged(&["package_bytes ratio > 1.02"]);
    assert!(
        code == Some(0) && said.contains("gate: baseline: ") && said.contains("gate: optimized: "),
        "{said}"
    );
    for (gate, parts) in [
        ("warm_p50 ratio > 1", ["no metric \"warm_p50\"", "warm_ms_p50, "]),
        (
            "fast/baseline warm_ms_p50 ratio > 1",
            ["fast/baseline is not compared", "any two of baseline, optimized"],
        ),
        ("optimized/baseline package_bytes ratio > 1", ["optimized/baseline", "without a pair"]),
        ("package_bytes verdict is worse", ["package_bytes is one number a run", "ask for its ratio"]),
    ] {
        let (code, said) = judged(&[gate]);
        assert!(code == Some(1) && parts.iter().all(|part| said.contains(part)), "{said}");
    }
}

#[test]
fn a_lone_shared_variant_cannot_be_told_from_the_drift() {
    let from = run(&rounds(1.0), &rounds(0.1));
    let mut to = from.clone();
    to.variants.pop();
    let folder = on_disk(&from, &to);
    let (code, _, said) =
        bench(folder.path(), &["compare", "before", "after", "--fail-if", "warm_ms_p50 ratio > 1.1"]);
    assert!(code == Some(4) && said.contains("the runs share baseline alone"), "{said}");
}

#[test]
fn runs_of_older_versions_are_refused_by_file_and_version_with_the_mend() {
    let newer = fixtures().join("run.json");
    for version in 1..=3 {
        let older = fixtures().join(format!("run.v{version}.json"));
        for pair in [[&older, &newer], [&older, &older]] {
            let (code, stdout, said) =
                bench(&fixtures(), &["compare", pair[0].to_str().unwrap(), pair[1].to_str().unwrap()]);
            assert_eq!((code, stdout.as_str()), (Some(1), ""));
            let schema = format!("schema_version {version} has no values by round");
            for part in [older.to_str().unwrap(), &schema, "measure its commit again with this bench"] {
                assert!(said.contains(part), "{part:?} is missing in {said}");
            }
            assert_eq!(said.lines().count(), 1, "{said}");
        }
    }
    let mut without = run(&[], &[]);
    without.variants.iter_mut().for_each(|variant| variant.per_round.clear());
    let folder = on_disk(&without, &without);
    let (code, _, said) = bench(folder.path(), &["compare", "before", "after"]);
    assert!(code == Some(1) && said.contains("at least one whole round"), "{said}");
}
