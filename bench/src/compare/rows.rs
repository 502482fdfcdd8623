//! The words and cells that the table and the Markdown share.
//!
//! Apart from both so that they cannot say different things. Invariant: each row of changes that is not measurable has its reason below
//! its table.

use crate::compare::changes::Change;
use crate::compare::report::{Report, Side, VariantChange};
use crate::table::{UNKNOWN, digits};
use crate::table_pairs::label;
use crate::verdict::Verdict;

/// The header of a table of changes, after the variant's name.
pub(super) const HEADER: [&str; 5] = ["from", "to", "to / from", "95 % interval", "verdict"];

/// What stands above the tables of all variants as they were measured.
pub(super) const AS_MEASURED: &str = "As measured. The drift is in it: whatever else changed between the two runs (machine, neighbours, time of day) moved \
     these ratios too, so do not judge a commit by them.";

/// What stands above the tables of the variants relative to the reference.
pub(super) fn relative_to(reference: &str) -> String {
    format!(
        "Relative to {reference}: each round's ratio to {reference} in the same round, so that the drift cancels out. Judge a commit \
         by this, unless it changes {reference} itself."
    )
}

/// What the tables need to be understood; below them.
pub(super) const NOTES: &str = "Below 1 is less, and less is better. Times are ms, memory and packages MB, costs USD a million \
     requests. Means are geometric, over the rounds; intervals are Welch's on the logarithms of the rounds, which two runs do not \
     share. They cover the scatter of the rounds within each run.";

/// The cells of `change`: metric, from, to, ratio, interval, verdict.
pub(super) fn cells(change: &Change) -> [String; 6] {
    let shown = |value: Option<f64>| value.map_or_else(|| UNKNOWN.to_owned(), digits);
    let in_unit = if change.name == "package_bytes" { 1e6 } else { 1.0 };
    let figure = |value: Option<f64>| shown(value.map(|value| value / in_unit));
    let interval = change.interval.map(|[low, high]| format!("{} to {}", digits(low), digits(high)));
    [
        label(&change.name).to_owned(),
        figure(change.from),
        figure(change.to),
        shown(change.ratio),
        interval.unwrap_or_else(|| UNKNOWN.to_owned()),
        change.verdict.map_or("plain ratio", Verdict::word).to_owned(),
    ]
}

/// What is to be said below the table of `changed`: reasons, each with the metrics it holds for.
pub(super) fn reasons(changed: &VariantChange) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for change in &changed.metrics {
        let Some(reason) = &change.reason else { continue };
        match reasons.iter_mut().find(|(told, _)| told == reason) {
            Some((_, metrics)) => metrics.push(label(&change.name)),
            None => reasons.push((reason, vec![label(&change.name)])),
        }
    }
    reasons.into_iter().map(|(reason, metrics)| format!("{}: {reason}.", metrics.join(", "))).collect()
}

/// The lines about one run.
pub(super) fn side(name: &str, side: &Side) -> Vec<String> {
    let mut lines = vec![format!(
        "{name} {}: began {}, commit {}, profile {}, {} rounds",
        side.run, side.started, side.commit, side.profile, side.rounds
    )];
    lines.extend(side.partial.as_ref().map(|partial| format!("{name} is PARTIAL: {}", partial.reason)));
    lines
}

/// What else differs, and which variants are in one run alone.
pub(super) fn differences(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    if !report.warnings.is_empty() {
        lines.push(format!(
            "WARNING, not the same experiment, so the figures are not comparable: {}.",
            report.warnings.join("; ")
        ));
    }
    if !report.differs.is_empty() {
        lines.push(format!("differs: {}.", report.differs.join("; ")));
    }
    for (run, names) in [("from", &report.only_in_from), ("to", &report.only_in_to)] {
        if !names.is_empty() {
            lines.push(format!("only in {run}, so not compared: {}.", names.join(", ")));
        }
    }
    lines
}
