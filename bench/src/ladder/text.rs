//! The ladder for a terminal: a waterfall for each run, then every metric of all runs side by side.
//!
//! Apart from the other outputs because it is the one read first. Invariant: no line is wider than the other tables', and every verdict is
//! said as a word or as a mark that is explained below.

use std::path::Path;

use comfy_table::{ColumnConstraint, Table};

use super::scale::Scale;
use super::way::{NamedRun, way};
use super::words::{MARKS, below, findings, heads, interval, percent};
use super::{Line, Metric, Report, Way};
use crate::run_file::{Earned, RunFile};
use crate::table::{UNKNOWN, digits, new_table, right_aligned};
use crate::table_notes::wrapped;
use crate::verdict::Verdict;

/// How wide the waterfall's bars are, together.
const BAR_COLUMNS: usize = 16;
/// How many runs stand side by side.
const RUNS_ABREAST: usize = 2;
/// Metrics of the table side by side, with what their columns are called.
const SIDE_BY_SIDE: [(Metric, &str); 4] =
    [(Metric::Warm, "warm"), (Metric::Cold, "cold"), (Metric::Cpu, "CPU"), (Metric::Cost, "cost")];

/// The whole of `report`.
pub fn render(report: &Report) -> String {
    let mut blocks = vec![wrapped(&heads(report))];
    blocks.extend(ladder(&report.runs, report.metric));
    blocks.extend(
        report.without.iter().map(|run| without(&way(&run.run, &run.label, report.metric), report.metric)),
    );
    let mut lines = below(report);
    lines.insert(0, MARKS.to_owned());
    blocks.push(wrapped(&lines));
    blocks.join("\n\n")
}

/// The waterfall of one run, for the table of that run.
pub fn of_run(run: &RunFile) -> String {
    let label = run.environment.network.name.clone();
    let runs = vec![NamedRun { label, path: Path::new("run.json").to_owned(), run: run.clone() }];
    let mut blocks = ladder(&runs, Metric::Warm);
    let mut lines = findings(&Report { runs, without: Vec::new(), metric: Metric::Warm });
    lines.insert(0, MARKS.to_owned());
    blocks.push(wrapped(&lines));
    blocks.join("\n\n")
}

fn ladder(runs: &[NamedRun], metric: Metric) -> Vec<String> {
    let ways: Vec<Way> = runs.iter().map(|run| way(&run.run, &run.label, metric)).collect();
    // One scale, so that bars of different runs can be compared.
    let scale = Scale::of(&ways);
    let mut blocks: Vec<String> = ways.iter().map(|way| waterfall(way, metric, scale)).collect();
    blocks.extend(runs.chunks(RUNS_ABREAST).map(side_by_side));
    blocks
}

fn waterfall(way: &Way, metric: Metric, scale: Option<Scale>) -> String {
    let mut table = new_table();
    let title = format!("{}, {}", metric.label(), way.label);
    let unit = metric.unit();
    table.set_header([title.as_str(), "log scale", unit, "saved", "ratio", "95 % interval", "share", ""]);
    for line in &way.lines {
        let Earned { value, saved, ratio, interval: known, .. } = line.earned;
        let shown = |value: Option<f64>| told(value.map(|value| metric.shown(value)));
        let compared = |text: String| if line.lever.is_some() { text } else { String::new() };
        table.add_row([
            line.title(),
            scale.map(|scale| bar(line, scale)).unwrap_or_default(),
            shown(value),
            compared(shown(saved)),
            compared(told(ratio)),
            compared(interval(known)),
            if line.beside { String::new() } else { compared(percent(line.share)) },
            line.word().to_owned(),
        ]);
    }
    if let Some(whole) = &way.whole {
        table.add_row([
            format!("{} / {}", whole.top, whole.foot),
            String::new(),
            String::new(),
            String::new(),
            told(whole.ratio),
            interval(whole.interval),
            String::new(),
            whole.verdict.map_or("", Verdict::word).to_owned(),
        ]);
    }
    first_column_yields(&mut table);
    right_aligned(table, 2..=6)
}

/// From the value before to the value after: a full block where the lever earned, a light one where it cost; at least one column.
fn bar(line: &Line, scale: Scale) -> String {
    let column = |value: f64| (scale.place(value) * BAR_COLUMNS as f64).round() as usize;
    let Some(value) = line.earned.value.filter(|value| *value > 0.0) else { return String::new() };
    let (end, start) = (column(value), column(line.before.filter(|before| *before > 0.0).unwrap_or(value)));
    let (low, high) = (end.min(start), end.max(start));
    let indent = low.min(BAR_COLUMNS - 1);
    let mark = match line.before {
        None => "◆",
        Some(_) if low == high => "│",
        Some(before) if before > value => "█",
        Some(_) => "░",
    };
    // Spaces that a table does not trim.
    "\u{a0}".repeat(indent) + &mark.repeat((high - low).max(1))
}

fn side_by_side(runs: &[NamedRun]) -> String {
    let ways = |metric| runs.iter().map(move |run| way(&run.run, &run.label, metric));
    let mut table = new_table();
    let columns: Vec<(Metric, Vec<Way>, &str)> =
        SIDE_BY_SIDE.iter().map(|(metric, short)| (*metric, ways(*metric).collect(), *short)).collect();
    let package = runs.first().map(|run| way(&run.run, &run.label, Metric::Package));
    let named = |(metric, ways, short): &(Metric, Vec<Way>, &str)| -> Vec<String> {
        ways.iter()
            .map(|way| format!("{short}, {}\n{}", metric.unit(), way.label.replace(' ', "\n")))
            .collect()
    };
    let header = std::iter::once("rung".to_owned()).chain(columns.iter().flat_map(named));
    table.set_header(header.chain(["package,\nMB".to_owned()]));
    let lines = columns.first().and_then(|(_, ways, _)| ways.first()).map_or(&[][..], |way| &way.lines);
    for (index, line) in lines.iter().enumerate() {
        let cells = columns.iter().flat_map(|(metric, ways, _)| {
            ways.iter().map(move |way| {
                let earned = &way.lines[index].earned;
                told(earned.value.map(|value| metric.shown(value))) + mark(earned.verdict)
            })
        });
        let bytes = package.as_ref().and_then(|way| way.lines[index].earned.value);
        let bytes = told(bytes.map(|bytes| Metric::Package.shown(bytes)));
        table.add_row(std::iter::once(line.rung.clone()).chain(cells).chain([bytes]));
    }
    first_column_yields(&mut table);
    right_aligned(table, 1..)
}

fn without(way: &Way, metric: Metric) -> String {
    let mut table = new_table();
    let full = way.lines.iter().find_map(|line| line.against.as_deref()).unwrap_or(UNKNOWN);
    let unit = metric.unit();
    let title = format!("{full} without one lever, {}", way.label);
    let value = format!("{}, {unit}", metric.label());
    table.set_header([title.as_str(), value.as_str(), "lost", "ratio", "95 % interval", ""]);
    for line in &way.lines {
        let compared = |text: String| if line.lever.is_some() { text } else { String::new() };
        let lost = line.earned.saved.map(|saved| metric.shown(-saved));
        table.add_row([
            line.lever.clone().unwrap_or_else(|| line.rung.clone()),
            told(line.earned.value.map(|value| metric.shown(value))),
            compared(told(lost)),
            compared(told(line.earned.ratio)),
            compared(interval(line.earned.interval)),
            line.word_without().to_owned(),
        ]);
    }
    first_column_yields(&mut table);
    right_aligned(table, 1..=4)
}

/// One space beside each cell, since the columns are many; the first column takes what the figures leave, and is broken where it must.
fn first_column_yields(table: &mut Table) {
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if index > 0 {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

fn told(value: Option<f64>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), digits)
}

/// A verdict in one column.
fn mark(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Better) => "↓",
        Some(Verdict::Worse) => "↑",
        Some(Verdict::NoDifferenceShown) => "=",
        Some(Verdict::NotMeasurable) => "?",
        None => "\u{a0}",
    }
}
