//! Traces of whole run folders: both of Lambda's styles, and everything that can be broken.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

use std::path::{Path, PathBuf};

use bench::traces::completeness::Completeness;
use bench::traces::error::TracesError;
use bench::traces::pair::{Pair, Row};
use bench::traces::read::read;
use bench::traces::report::{Report, compare, trace};
use bench::traces::span::{Note, Style};
use bench::traces::{html, markdown, text};
use serde_json::Value;

#[path = "support/traces_run.rs"]
mod traces_run;

use traces_run::RunFiles;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/traces").join(name)
}

fn report(folder: &Path) -> Report {
    compare(&read(folder).unwrap(), folder, None, None).unwrap()
}

fn row<'a>(pair: &'a Pair, path: &str) -> &'a Row {
    pair.rows.iter().find(|row| row.path == path).unwrap_or_else(|| panic!("no row {path}"))
}

fn adds_up(pair: &Pair) {
    let difference = pair.to_total_us - pair.from_total_us;
    assert_eq!(pair.rows.iter().map(|row| row.self_difference_us).sum::<i64>(), difference);
    assert_eq!(pair.bridge.iter().map(|piece| piece.self_difference_us).sum::<i64>(), difference);
}

/// Old style (baseline): INIT 48.8 ms, then 1.3 ms that nobody waited for, then 129.9 ms. New style (optimized): INIT 10 ms, made 900 ms
/// before the event, then 30 ms, of which 3.5 are overhead by its annotations.
#[test]
fn both_styles_become_one_model_and_the_gap_is_not_counted() {
    let folder = fixture("styles");
    let run = read(&folder).unwrap();
    let styles: Vec<Style> = run.invocations.iter().map(|seen| trace(&run, seen).style).collect();
    assert_eq!(styles, [Style::Old, Style::New, Style::New, Style::New]);
    let report = report(&folder);
    let cold = &report.pairs[0];
    assert_eq!((cold.from_total_us, cold.to_total_us), (48_800 + 129_900, 10_000 + 30_000));
    assert_eq!((cold.from.gap_us, cold.to.gap_us), (1300, 900_000));
    let expected = [
        ("function", Some(178_700), Some(40_000), -1600),
        ("init", Some(48_800), Some(10_000), -42_800),
        ("init > cache.connect", None, Some(4000), 4000),
        ("handler", Some(121_500), Some(24_600), -400),
        ("handler > parameters", Some(30_000), Some(5000), 3000),
        ("handler > parameters > SSM", Some(28_000), None, -28_000),
        // It ran beside cache.set for a millisecond, which is cache.set's, because that started last.
        ("handler > db.query", Some(30_000), Some(3000), -28_000),
        ("handler > cache.set", None, Some(2500), 2500),
        ("overhead", Some(4900), Some(3500), -1400),
    ];
    for (path, from, to, own) in expected {
        let row = row(cold, path);
        assert_eq!((row.from_us, row.to_us, row.self_difference_us), (from, to, own), "{path}");
    }
    let init = row(cold, "init").to_bar.as_ref().unwrap();
    assert_eq!((init.start_us, init.end_us), (-10_000, 0));
    let step = row(cold, "init > cache.connect").to_bar.as_ref().unwrap();
    assert_eq!((step.start_us, step.end_us), (-7000, -3000));
    report.pairs.iter().for_each(adds_up);
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}

#[test]
fn what_is_broken_is_mended_or_left_out_and_said() {
    let folder = fixture("broken");
    let run = read(&folder).unwrap();
    let tally = &run.tally;
    assert_eq!((tally.documents, tally.unusable, tally.with_problems), (18, 4, 0));
    assert_eq!((tally.duplicates, tally.of_no_invocation, tally.without_documents), (1, 1, 1));
    let complete = Completeness::of(&run);
    assert_eq!((complete.documents, complete.invalid), (18, 4));
    assert_eq!(complete.sampled, complete.with_traces + 1, "{complete:?}");
    assert!(complete.with_function_segment < complete.with_traces, "{complete:?}");
    assert_eq!(
        tally.orphans.iter().map(|(name, count)| (name.as_str(), *count)).collect::<Vec<_>>(),
        [("circle", 2), ("lost", 1)]
    );
    let report = report(&folder);
    let [pair] = report.pairs.as_slice() else { panic!("{:?}", report.pairs) };
    adds_up(pair);
    assert_eq!((pair.from_total_us, pair.to_total_us), (20_000, 10_000));
    // Cut from 14..18 ms to its parent's end at 15; never ended: to its parent's end.
    assert_eq!(row(pair, "handler > serialize").from_us, Some(1000));
    assert_eq!(row(pair, "handler > serialize").from_bar.as_ref().unwrap().facts.cut_us, 3000);
    assert_eq!(row(pair, "handler > db.query").from_us, Some(10_000));
    // In progress first, whole later.
    assert_eq!(row(pair, "handler > parameters").from_us, Some(2000));
    // Another runtime's handler is the handler all the same, and its failure is told.
    let failed = row(pair, "handler > listStadiums").to_bar.as_ref().unwrap();
    assert_eq!(failed.facts.failure.as_deref(), Some("fault: Timeout: too late"));
    let notes = |index: usize| trace(&run, &run.invocations[index]).notes;
    assert_eq!(notes(0), [Note::FunctionUnfinished, Note::StepUnfinished, Note::StepCut]);
    assert_eq!(notes(1), [Note::NoServiceSegment, Note::NoFunctionSegment]);
    for output in [text::render(&report), markdown::render(&report), html::render(&report)] {
        for said in ["2 x circle, 1 x lost", "cold p50 cannot be had", "clock skew", "came twice"] {
            assert!(output.contains(said), "{said:?} is not in\n{output}");
        }
    }
}

#[test]
fn a_percentile_takes_enough_traces_and_medians_have_intervals() {
    let folder = tempfile::tempdir().unwrap();
    RunFiles::plausible(7, 6, 99).write(folder.path());
    let shorter = report(folder.path());
    let had: Vec<_> =
        shorter.pairs.iter().map(|pair| format!("{} p{}", pair.kind, pair.percentile)).collect();
    assert_eq!(had, ["cold p50", "warm p50", "warm p95"]);
    assert_eq!(shorter.unavailable.len(), 1);
    RunFiles::plausible(7, 6, 100).write(folder.path());
    let report = report(folder.path());
    assert_eq!(report.pairs.len(), 4);
    assert!(report.unavailable.is_empty());
    report.pairs.iter().for_each(adds_up);
    for (medians, traces) in report.medians.iter().zip([6, 100]) {
        assert_eq!((medians.from_traces, medians.to_traces), (traces, traces));
        for median in medians.rows.iter().flat_map(|row| [&row.from, &row.to]).flatten() {
            let [low, high] = median.interval_us.unwrap();
            assert!(low <= median.us && median.us <= high && low < high, "{median:?}");
        }
    }
    let parameters = report.medians[1].rows.iter().find(|row| row.path == "handler > parameters").unwrap();
    assert!(parameters.to.is_none() && parameters.from.unwrap().traces == 100);
}

#[test]
fn the_json_has_the_keys_that_were_promised() {
    let json = serde_json::to_value(report(&fixture("styles"))).unwrap();
    let pair = &json["pairs"][0];
    assert_eq!((pair["kind"].as_str(), pair["percentile"].as_u64()), (Some("cold"), Some(50)));
    let total = |key: &str| pair[key].as_i64().unwrap();
    let sum: i64 =
        pair["rows"].as_array().unwrap().iter().map(|row| row["self_difference_us"].as_i64().unwrap()).sum();
    assert_eq!(sum, total("to_total_us") - total("from_total_us"));
    let one_sided =
        pair["rows"].as_array().unwrap().iter().find(|row| row["path"] == "init > cache.connect").unwrap();
    assert_eq!((&one_sided["from_us"], one_sided["to_us"].as_i64()), (&Value::Null, Some(4000)));
}

#[test]
fn a_run_without_traces_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let said = |folder: &Path| read(folder).unwrap_err().to_string();
    assert!(said(folder.path()).contains("name the folder of a run"));
    let files = RunFiles::plausible(1, 0, 1);
    files.write(folder.path());
    std::fs::remove_file(folder.path().join("traces/documents.jsonl")).unwrap();
    assert!(
        said(folder.path()).contains("measured without tracing")
            && said(folder.path()).contains("measure again")
    );
    std::fs::write(folder.path().join("traces/documents.jsonl"), "").unwrap();
    assert!(said(folder.path()).contains("measured without tracing"));
    let stranger =
        r#"{"document":{"name":"a","id":"0123456789abcdef","trace_id":"1-0-0","start_time":1,"end_time":2}}"#;
    std::fs::write(folder.path().join("traces/documents.jsonl"), stranger).unwrap();
    assert!(said(folder.path()).contains("none of the 1 lines"));
    std::fs::write(folder.path().join("invocations.jsonl"), "{\"function\": 7}\n").unwrap();
    assert!(said(folder.path()).contains("invocations.jsonl, line 1: "));
}

#[test]
fn variants_are_the_experiments_first_and_last_or_those_that_are_named() {
    let folder = tempfile::tempdir().unwrap();
    RunFiles::plausible(1, 0, 1).write(folder.path());
    let run = read(folder.path()).unwrap();
    let names = |from, to| compare(&run, folder.path(), from, to).map(|report| (report.from, report.to));
    let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    assert_eq!(names(None, None).unwrap(), pair("baseline", "optimized"));
    assert_eq!(names(Some("optimized"), Some("baseline")).unwrap(), pair("optimized", "baseline"));
    let unknown = names(Some("basline"), None).unwrap_err();
    assert!(matches!(unknown, TracesError::UnknownVariant { .. }));
    assert!(
        unknown.to_string().contains("\"basline\"") && unknown.to_string().contains("baseline, optimized")
    );
    let order = r#"{"variants": [{"name": "optimized"}, {"name": "untraced"}, {"name": "baseline"}]}"#;
    std::fs::write(folder.path().join("run.json"), order).unwrap();
    assert_eq!(names(None, None).unwrap(), pair("optimized", "baseline"));
}

/// For a look at the outputs: `TRACES_RUN=<folder> cargo test -p bench --test traces -- --ignored`.
#[test]
#[ignore = "writes a plausible run into the folder TRACES_RUN"]
fn a_run_to_look_at() {
    RunFiles::plausible(2026, 24, 1200).write(Path::new(&std::env::var_os("TRACES_RUN").unwrap()));
}
