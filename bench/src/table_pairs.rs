//! The tables of two arms: a variant beside another, and a control beside itself.
//!
//! Apart from the table of variants because these have verdicts, and below each stands what its words rest on. Invariant: a verdict
//! that is not plain from its interval has its reason below; no word is invented here.

use crate::noise_floor::noise_floor;
use crate::run_file::{ComparedMetric, Comparison, Control};
use crate::table::{UNKNOWN, digits, finished, new_table};
use crate::table_notes::wrapped;
use crate::verdict::Verdict;

/// `comparison`, beside what the `controls` differ by from themselves.
pub fn comparison(comparison: &Comparison, controls: &[Control]) -> String {
    let title = format!("{} / {}", comparison.to, comparison.from);
    let floor = |metric: &ComparedMetric| span(noise_floor(controls, &metric.name));
    let more: &[Column<'_>] = if controls.is_empty() { &[] } else { &[("noise floor", &floor)] };
    pair(&title, &comparison.metrics, more)
}

/// `control` beside itself.
pub fn control(control: &Control) -> String {
    pair(&format!("{0} / {0} (A/A)", control.of), &control.metrics, &[])
}

/// A column between the interval and the verdict.
type Column<'a> = (&'static str, &'a dyn Fn(&ComparedMetric) -> String);

fn pair(title: &str, metrics: &[ComparedMetric], more: &[Column<'_>]) -> String {
    let mut table = new_table();
    let more_titles = more.iter().map(|(title, _)| *title);
    table.set_header([title, "ratio", "95 % interval"].into_iter().chain(more_titles).chain(["verdict"]));
    for metric in metrics {
        let ratio = metric.ratio.map_or_else(|| UNKNOWN.to_owned(), digits);
        let cells = [label(&metric.name).to_owned(), ratio, span(metric.interval)];
        let verdict = metric.verdict.map_or("plain ratio", Verdict::word).to_owned();
        table.add_row(cells.into_iter().chain(more.iter().map(|(_, cell)| cell(metric))).chain([verdict]));
    }
    let below: Vec<String> = [reasons(metrics), void_rounds(metrics), outlier_rounds(metrics)].concat();
    if below.is_empty() { finished(table) } else { format!("{}\n{}", finished(table), wrapped(&below)) }
}

fn span(interval: Option<[f64; 2]>) -> String {
    interval.map_or_else(|| UNKNOWN.to_owned(), |[low, high]| format!("{} to {}", digits(low), digits(high)))
}

/// One line for each reason, with the metrics that it holds of.
fn reasons(metrics: &[ComparedMetric]) -> Vec<String> {
    let known = |metric: &ComparedMetric| Some((metric.reason.clone()?, metric.verdict?.word()));
    grouped(metrics, known)
        .into_iter()
        .map(|((reason, word), of)| format!("{of}: {word}, {reason}."))
        .collect()
}

fn void_rounds(metrics: &[ComparedMetric]) -> Vec<String> {
    let void = |metric: &ComparedMetric| told(&metric.void_rounds);
    let line = |(rounds, of)| format!("{of}: {rounds} void, the bench itself sent too late.");
    grouped(metrics, void).into_iter().map(line).collect()
}

fn outlier_rounds(metrics: &[ComparedMetric]) -> Vec<String> {
    let far = |metric: &ComparedMetric| told(&metric.outlier_rounds);
    let line = |(rounds, of)| format!("{of}: {rounds} far from the others, in the figures all the same.");
    grouped(metrics, far).into_iter().map(line).collect()
}

fn told(rounds: &[u32]) -> Option<String> {
    let listed = rounds.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    match rounds.len() {
        0 => None,
        1 => Some(format!("round {listed}")),
        _ => Some(format!("rounds {listed}")),
    }
}

/// What `key` says of the metrics, each with the labels of those it says it of, in the report's order.
fn grouped<K: PartialEq>(
    metrics: &[ComparedMetric],
    key: impl Fn(&ComparedMetric) -> Option<K>,
) -> Vec<(K, String)> {
    let mut groups: Vec<(K, String)> = Vec::new();
    for metric in metrics {
        let Some(key) = key(metric) else { continue };
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, of)) => {
                of.push_str(", ");
                of.push_str(label(&metric.name));
            }
            None => groups.push((key, label(&metric.name).to_owned())),
        }
    }
    groups
}

/// A metric as the tables call it.
pub fn label(metric: &str) -> &str {
    match metric {
        "warm_ms_p50" => "warm p50",
        "warm_ms_p90" => "warm p90",
        "warm_ms_p99" => "warm p99",
        "cold_ms_p50" => "cold response p50",
        "init_ms_p50" => "init p50",
        "cpu_ms_per_invoke" => "CPU per warm invocation",
        "response_ms_p50" => "warm response p50",
        "cost_per_million_usd" => "cost of a million requests",
        "load_response_ms_p50" => "load: response p50",
        "load_response_ms_p99" => "load: response p99",
        "max_memory_mb" => "memory peak",
        "package_bytes" => "package",
        other => other,
    }
}
