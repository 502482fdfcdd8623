//! The ladder as Markdown, for a document or a pull request.
//!
//! Apart from the terminal's tables because there is room for every metric's intervals. Invariant: a name or lever is shown as it is,
//! whatever Markdown or HTML would make of it.

use std::fmt::Write;

use super::way::{NamedRun, way};
use super::words::{below, heads, interval, percent};
use super::{Line, Metric, Report, Way};
use crate::table::{UNKNOWN, digits};
use crate::traces::markdown::text;
use crate::verdict::Verdict;

/// The whole of `report`.
pub fn render(report: &Report) -> String {
    let mut blocks = Vec::new();
    let heads: Vec<String> = heads(report).iter().map(|line| format!("- {}", text(line))).collect();
    blocks.push(format!("# What each lever earned\n\n{}", heads.join("\n")));
    if !report.runs.is_empty() {
        // The metric asked for stands first.
        let others = Metric::ALL.into_iter().filter(|metric| *metric != report.metric);
        blocks
            .extend(std::iter::once(report.metric).chain(others).map(|metric| earned(&report.runs, metric)));
    }
    blocks.extend(
        report.without.iter().map(|run| without(&way(&run.run, &run.label, report.metric), report.metric)),
    );
    blocks.push(below(report).iter().map(|line| format!("- {}", text(line))).collect::<Vec<_>>().join("\n"));
    blocks.join("\n\n")
}

fn earned(runs: &[NamedRun], metric: Metric) -> String {
    let ways: Vec<Way> = runs.iter().map(|run| way(&run.run, &run.label, metric)).collect();
    let mut out = format!("## {}\n\n| lever |", upper(metric.label()));
    for way in &ways {
        let _ = write!(
            out,
            " {}, {} | saved | ratio | 95 % interval | share | |",
            text(&way.label),
            metric.unit()
        );
    }
    out += "\n|---|";
    out += &"---:|---:|---:|---:|---:|---|".repeat(ways.len());
    for (index, line) in ways.first().map_or(&[][..], |way| &way.lines).iter().enumerate() {
        let _ = write!(out, "\n| {} |", text(&line.title()));
        for way in &ways {
            out += &cells(&way.lines[index], metric);
        }
    }
    if let Some(whole) = ways.first().and_then(|way| way.whole.as_ref()) {
        let _ = write!(out, "\n| {} / {} |", text(&whole.top), text(&whole.foot));
        for whole in ways.iter().filter_map(|way| way.whole.as_ref()) {
            let word = whole.verdict.map_or("", Verdict::word);
            let _ = write!(out, " | | {} | {} | | {word} |", told(whole.ratio), interval(whole.interval));
        }
    }
    out
}

fn cells(line: &Line, metric: Metric) -> String {
    let earned = &line.earned;
    let shown = |value: Option<f64>| told(value.map(|value| metric.shown(value)));
    if line.lever.is_none() {
        return format!(" {} | | | | | |", shown(earned.value));
    }
    let share = if line.beside { String::new() } else { percent(line.share) };
    format!(
        " {} | {} | {} | {} | {share} | {} |",
        shown(earned.value),
        shown(earned.saved),
        told(earned.ratio),
        interval(earned.interval),
        line.word()
    )
}

fn without(way: &Way, metric: Metric) -> String {
    let full = way.lines.iter().find_map(|line| line.against.as_deref()).unwrap_or(UNKNOWN);
    let mut out = format!(
        "## {} without one lever, {}\n\n| lever | {}, {} | lost | ratio | 95 % interval | |\n|---|---:|---:|---:|---:|---|",
        text(full),
        text(&way.label),
        metric.label(),
        metric.unit()
    );
    for line in &way.lines {
        let earned = &line.earned;
        let shown = |value: Option<f64>| told(value.map(|value| metric.shown(value)));
        let title = line.lever.clone().unwrap_or_else(|| line.rung.clone());
        let _ = write!(out, "\n| {} | {} |", text(&title), shown(earned.value));
        out += &match &line.lever {
            None => " | | | |".to_owned(),
            Some(_) => format!(
                " {} | {} | {} | {} |",
                shown(earned.saved.map(|saved| -saved)),
                told(earned.ratio),
                interval(earned.interval),
                line.word_without()
            ),
        };
    }
    out
}

fn told(value: Option<f64>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), digits)
}

fn upper(label: &str) -> String {
    let mut characters = label.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
