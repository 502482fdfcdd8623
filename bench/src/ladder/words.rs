//! The sentences around a ladder, and how its figures are spelt.
//!
//! Apart from the outputs because each says the same. Invariant: what earned nothing is named, and so are the order of the levers, what
//! was modelled and what is not whole.

use super::way::{NamedRun, way};
use super::{Line, Metric, Report, Way};
use crate::table::{UNKNOWN, digits};

/// What the marks of the terminal's table mean.
pub(super) const MARKS: &str = "Warm and cold: p50. Marks, against the line before or the one named: ↓ better, ↑ worse, = no difference shown, ? not measurable.";

/// Every run in one line.
pub(super) fn heads(report: &Report) -> Vec<String> {
    let without = report.without.iter().map(|run| format!("Leave-one-out, {}", about(run)));
    report.runs.iter().map(about).chain(without).collect()
}

fn about(named: &NamedRun) -> String {
    let NamedRun { label, path, run } = named;
    let environment = &run.environment;
    let modelled = if run.modelled.is_empty() { "" } else { ", MODELLED distance" };
    let commit = environment.git_sha.as_deref().map(|sha| sha.get(..10).unwrap_or(sha));
    format!(
        "{label}{modelled}: {}, profile {}, {} paired rounds, began {}, commit {}{}; {}",
        run.experiment,
        run.profile,
        environment.profile.rounds,
        run.started,
        commit.unwrap_or("not known"),
        if environment.git_dirty == Some(true) { " and changes" } else { "" },
        path.display(),
    )
}

/// What every output says below its figures, a sentence each.
pub(super) fn below(report: &Report) -> Vec<String> {
    let mut lines = findings(report);
    lines.extend(report.runs.iter().chain(&report.without).flat_map(|run| cautions(run, report.metric)));
    lines.push(
        "Ratios are to / from: below 1 is less, and less is better. Intervals: Student's t over the paired rounds of a run."
            .to_owned(),
    );
    lines
}

/// What of it is the ladder's alone, and not said of a run already.
pub(super) fn findings(report: &Report) -> Vec<String> {
    let ways = |runs: &[NamedRun]| -> Vec<Way> {
        runs.iter().map(|run| way(&run.run, &run.label, report.metric)).collect()
    };
    let (with, without) = (ways(&report.runs), ways(&report.without));
    let mut lines = Vec::new();
    lines.extend(with.first().and_then(order));
    lines.extend(with.iter().flat_map(|way| nothing_earned(way, Line::word, "Earned nothing shown")));
    lines.extend(with.iter().filter_map(no_shares));
    if !without.is_empty() {
        lines.push(
            "Taken away: each lever alone from the full set, whatever the order. What earned above and loses little here, another \
             lever covers."
                .to_owned(),
        );
        lines.extend(
            without.iter().flat_map(|way| nothing_earned(way, Line::word_without, "Lost nothing shown")),
        );
    }
    lines.extend(with.iter().chain(&without).flat_map(|way| reasons(way, report.metric)));
    lines
}

/// The order, and what depends on it.
fn order(way: &Way) -> Option<String> {
    let whole = way.whole.as_ref()?;
    let steps = way.lines.iter().filter(|line| line.lever.is_some() && !line.beside);
    let names: Vec<&str> =
        std::iter::once(whole.foot.as_str()).chain(steps.map(|line| line.rung.as_str())).collect();
    let beside = way.lines.iter().any(|line| line.lever.is_some() && line.beside);
    Some(format!(
        "Order: {}. Each lever is added to all before it. Its share is of the way from foot to top on a log scale and depends on the \
         order: in another order the same levers have other shares.{}",
        names.join(", "),
        if beside { " Rungs with \"against\" stand beside the way and have no share." } else { "" },
    ))
}

fn nothing_earned(way: &Way, word: fn(&Line) -> &'static str, said: &str) -> Option<String> {
    let idle = way.lines.iter().filter(|line| word(line).eq_ignore_ascii_case(said));
    let names: Vec<&str> = idle.map(|line| line.rung.as_str()).collect();
    (!names.is_empty()).then(|| format!("{said}, {}: {}.", way.label, names.join(", ")))
}

fn no_shares(way: &Way) -> Option<String> {
    way.whole.as_ref()?;
    let known = way.lines.iter().any(|line| line.share.is_some());
    (!known)
        .then(|| format!("{UNKNOWN}: {} has no shares, since no gain from foot to top was shown.", way.label))
}

fn reasons(way: &Way, metric: Metric) -> Vec<String> {
    let told = |line: &Line| {
        let reason = line.earned.reason.as_ref()?;
        Some(format!("{}, {} of {}: {reason}.", line.rung, metric.label(), way.label))
    };
    way.lines.iter().filter_map(told).collect()
}

fn cautions(named: &NamedRun, metric: Metric) -> Vec<String> {
    let NamedRun { label, run, .. } = named;
    let mut lines = Vec::new();
    lines.extend(
        run.partial
            .as_ref()
            .map(|partial| format!("PARTIAL, {label}: {} whole rounds; {}.", partial.rounds, partial.reason)),
    );
    let floors = run.control.iter().filter_map(|control| {
        let [low, high] = control.metrics.iter().find(|other| other.name == metric.name())?.interval?;
        let (low, high) = (digits(low), digits(high));
        Some(format!("{} against itself, {} of {label}: {low} to {high}.", control.of, metric.label()))
    });
    lines.extend(floors);
    lines.extend(run.modelled.iter().map(|modelled| format!("Modelled: {modelled}.")));
    lines
}

/// `0.288 to 0.335`.
pub(super) fn interval(known: Option<[f64; 2]>) -> String {
    known.map_or_else(|| UNKNOWN.to_owned(), |[low, high]| format!("{} to {}", digits(low), digits(high)))
}

/// A share in whole percent.
pub(super) fn percent(share: Option<f64>) -> String {
    // Not `-0 %`.
    share.map_or_else(|| UNKNOWN.to_owned(), |share| format!("{:.0} %", (share * 100.0).round() + 0.0))
}
