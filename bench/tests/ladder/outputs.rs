//! The outputs, from runs of known figures.

use std::path::{Path, PathBuf};

use bench::ladder::{Metric, NamedRun, Report, outputs};
use bench::run_file::Partial;
use bench::table::{self, WIDTH};

use crate::rows::{run, six, step, without};

fn report() -> Report {
    let named = |label: &str, run| NamedRun {
        label: label.to_owned(),
        path: PathBuf::from(format!("{label}.json")),
        run,
    };
    Report {
        runs: vec![
            named("loopback", run(&six(0.0), "loopback")),
            named("same-az", run(&six(1.0), "same-az")),
        ],
        without: vec![named("loopback", run(&without(), "loopback"))],
        metric: Metric::Warm,
    }
}

fn golden(name: &str, rendered: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        std::fs::write(&path, format!("{rendered}\n")).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(format!("{rendered}\n") == expected, "{} differs from:\n{rendered}", path.display());
}

#[test]
fn the_waterfall_is_the_golden_one() {
    golden("ladder.table.txt", &outputs::text(&report()));
}

#[test]
fn the_markdown_is_the_golden_one_and_shows_levers_as_they_are() {
    let mut report = report();
    report.runs[0].run.ladder[1].lever = Some("a | b <i>".to_owned());
    let rendered = outputs::markdown(&report);
    assert!(rendered.contains("| a \\| b &lt;i&gt; |"), "{rendered}");
    golden("ladder.md", &outputs::markdown(&self::report()));
}

#[test]
fn no_line_of_the_waterfall_is_too_wide() {
    let mut report = report();
    for rung in &mut report.runs[0].run.ladder {
        rung.rung = "n".repeat(64);
        rung.lever = rung.lever.as_ref().map(|_| "many words ".repeat(7).trim().to_owned());
    }
    report.runs.push(report.runs[1].clone());
    for metric in Metric::ALL {
        report.metric = metric;
        for line in outputs::text(&report).lines().filter(|line| !line.contains("nnn")) {
            assert!(line.chars().count() <= usize::from(WIDTH), "{} columns: {line}", line.chars().count());
        }
    }
}

#[test]
fn what_earns_nothing_is_named_and_what_is_not_whole_is_said() {
    let mut report = report();
    report.runs[1].run.partial = Some(Partial { reason: "interrupted".to_owned(), rounds: 2 });
    for rendered in [outputs::text(&report), outputs::markdown(&report)] {
        let rendered = rendered.replace("\n  ", " ");
        for part in [
            "Earned nothing shown, loopback: lean-query.",
            "Lost nothing shown, loopback: without-extension.",
            "Order: baseline, client-kept, lean-query, extension, cache-aside, memory-size.",
            "in another order the same levers have other shares",
            "PARTIAL, same-az: 2 whole rounds; interrupted.",
            "Modelled: distance: same-az",
        ] {
            assert!(rendered.contains(part), "{part:?} is missing in:\n{rendered}");
        }
    }
}

#[test]
fn the_picture_is_well_formed_and_has_every_rung_of_every_run() {
    let mut report = report();
    report.runs[0].run.ladder[1].lever = Some("\"quoted\" <b> & 'more'".to_owned());
    for metric in Metric::ALL {
        report.metric = metric;
        let svg = outputs::svg(&report);
        let document = roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{error} in:\n{svg}"));
        let root = document.root_element();
        assert_eq!((root.tag_name().name(), root.attribute("viewBox").map(|_| ())), ("svg", Some(())));
        let rows = document.descendants().filter(|node| {
            node.attribute("class").is_some_and(|class| class.split(' ').any(|name| name == "row"))
        });
        assert_eq!(rows.count(), 7 + 3);
        let texts = |class: &str| {
            let of_class = document.descendants().filter(move |node| node.attribute("class") == Some(class));
            of_class.map(|node| node.text().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(texts("figures").len(), 7 * 2 + 3, "{metric:?}");
        assert!(texts("label").join(" ").contains("\"quoted\" <b> & 'more'"));
        assert!(
            !svg.contains("http")
                || svg.matches("http").count() == svg.matches("http://www.w3.org/2000/svg").count()
        );
    }
    report.metric = Metric::Warm;
    let svg = outputs::svg(&report);
    for part in
        ["50.0 ms  × 0.500 (0.", "earned nothing shown", "cost more", "prefers-color-scheme: dark", "lost"]
    {
        assert!(svg.contains(part), "{part:?} is missing in:\n{svg}");
    }
}

#[test]
fn a_ladder_without_any_value_is_drawn_as_that() {
    let mut report = report();
    report.without.clear();
    for named in &mut report.runs {
        for earned in named.run.ladder.iter_mut().flat_map(|rung| &mut rung.metrics) {
            (earned.value, earned.ratio, earned.interval) = (None, None, None);
        }
    }
    let svg = outputs::svg(&report);
    assert!(
        roxmltree::Document::parse(&svg).is_ok() && svg.contains("No value of warm p50 is known"),
        "{svg}"
    );
    outputs::text(&report);
    outputs::markdown(&report);
}

#[test]
fn the_table_of_a_run_shows_its_waterfall_instead_of_a_table_a_pair() {
    let rendered = table::render(&run(&six(0.0), "loopback"), Path::new("run.json"));
    assert!(
        rendered.contains("warm p50, loopback") && rendered.contains("Earned nothing shown"),
        "{rendered}"
    );
    assert!(!rendered.contains("memory-size / baseline   ratio"), "{rendered}");
    let pair = [step("baseline", "", 10.0), step("memory-size", "", 5.0)];
    let rendered = table::render(&run(&pair, "loopback"), Path::new("run.json"));
    assert!(!rendered.contains("log scale"), "{rendered}");
}
