//! What the outputs of `bench traces` look like, and that no name in a trace can become more than a name.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bench::table::WIDTH;
use bench::traces::read::read;
use bench::traces::report::{Report, compare};
use bench::traces::{html, markdown, text};

#[path = "support/traces_run.rs"]
mod traces_run;

use traces_run::{RunFiles, subsegment};

fn styles() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/traces/styles")
}

fn report(folder: &Path) -> Report {
    compare(&read(folder).unwrap(), folder, None, None).unwrap()
}

/// A run whose steps have `name`, on one side only.
fn named(name: &str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let mut files = RunFiles::plausible(3, 1, 2);
    let traces = read_ids(&files);
    for (index, trace) in traces.iter().enumerate() {
        files.document(&subsegment(&format!("{index:016x}"), "nobody", trace, name, 0, 10), "daemon");
        let parent = format!("{:016x}", 2 + index);
        let mut own = subsegment(&format!("aaaa{index:012x}"), &parent, trace, name, 0, 10_000_000);
        own["fault"] = true.into();
        own["cause"] = serde_json::json!({"exceptions": [{"message": name, "type": name}]});
        files.document(&own, "daemon");
    }
    files.write(folder.path());
    let mut report = report(folder.path());
    report.run = name.to_owned();
    report
}

fn read_ids(files: &RunFiles) -> Vec<String> {
    let of = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["trace_id"].as_str().unwrap().to_owned()
    };
    files.invocations.lines().map(of).collect()
}

fn golden(name: &str, rendered: &str) {
    let path = styles().join(name);
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == format!("{rendered}\n"), "{} differs from:\n{rendered}", path.display());
}

#[test]
fn table_and_markdown_are_the_golden_ones() {
    let mut report = report(&styles());
    report.run = "bench/results/latest".into();
    golden("expected.table.txt", &text::render(&report));
    golden("expected.md", &markdown::render(&report));
}

#[test]
fn no_line_of_the_table_is_too_wide() {
    for name in ["word ".repeat(60), "n".repeat(400)] {
        let rendered = text::render(&named(&name));
        assert!(rendered.contains(&name[..20]));
        for line in rendered.lines() {
            assert!(line.chars().count() <= usize::from(WIDTH), "{} columns: {line}", line.chars().count());
        }
    }
}

#[test]
fn a_name_is_only_a_name_on_the_page_and_nothing_is_loaded() {
    let hostile = "</style><script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    let page = html::render(&named(hostile));
    assert!(page.contains("&lt;script&gt;alert(1)") && page.contains("fault: "), "{page}");
    for forbidden in ["<script", "<img", "<link", "<iframe", "http:", "https:", "@import", "url(", "src=\""] {
        let escaped = page.replace("&lt;script", "").replace("src=x", "");
        assert!(!escaped.contains(forbidden), "{forbidden} in the page");
    }
    assert_eq!(page.matches("</style>").count(), 1);
}

#[test]
fn markdown_of_a_hostile_name_keeps_its_columns() {
    let rendered = markdown::render(&named("a|b\n|c<img>"));
    let table: Vec<&str> = rendered.lines().filter(|line| line.starts_with("| ")).collect();
    let columns = |line: &str| line.replace("\\|", "").matches('|').count();
    assert!(table.iter().all(|line| [3, 7, 8].contains(&columns(line))), "{rendered}");
    assert!(rendered.contains("a\\|b") && !rendered.contains("<img>"));
}

/// Every row can be reached by the keyboard and tells its details; both looks have their colours.
#[test]
fn the_page_is_reachable_and_has_two_looks() {
    let report = report(&styles());
    let page = html::render(&report);
    let rows: usize = report.pairs.iter().map(|pair| pair.rows.len()).sum();
    assert_eq!(page.matches("class=\"details\"").count(), rows);
    assert!(page.matches("tabindex=\"0\"").count() >= rows);
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("tr:focus-visible"));
    for said in [
        "only optimized",
        "only baseline",
        "900.000 ms between INIT and the event",
        "class=\"cut\"",
        "-138.700",
    ] {
        assert!(page.contains(said), "{said}");
    }
}

fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bench")).arg("traces").args(arguments).output().unwrap()
}

#[test]
fn the_command_writes_what_was_asked_for_or_says_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("traces.html");
    let styles = styles();
    let run = styles.to_str().unwrap();
    let written = bench(&[run, "--format", "html", "--output", page.to_str().unwrap()]);
    assert!(written.status.success());
    assert_eq!(String::from_utf8_lossy(&written.stdout).trim(), page.to_str().unwrap());
    assert!(std::fs::read_to_string(&page).unwrap().starts_with("<!DOCTYPE html>"));
    let json = bench(&[run, "--format", "json", "--from", "optimized", "--to", "baseline"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["pairs"][0]["from_total_us"], 40_000);
    for (arguments, code, said) in [
        (vec!["no/such/run"], 1, "name the folder of a run"),
        (vec![run, "--to", "optimised"], 1, "no traces of variant \"optimised\""),
        (vec![run, "--output", "no/such/folder/x"], 1, "name a file you may write"),
        (vec![run, "--all"], 2, "--export"),
    ] {
        let refused = bench(&arguments);
        assert_eq!(refused.status.code(), Some(code), "{arguments:?}");
        let stderr = String::from_utf8_lossy(&refused.stderr);
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    }
}
