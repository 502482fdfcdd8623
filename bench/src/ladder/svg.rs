//! The waterfall as one picture.
//!
//! Apart from the other outputs because it draws. Everything is in the file, styles too, so that a README can show it as it is; it has
//! light and dark colours and its own ground. Invariant: well-formed XML, whatever the levers are called; a colour is never all that tells
//! a verdict.

use maud::{Markup, PreEscaped, html};

use super::scale::{Scale, whisker};
use super::way::{NamedRun, way};
use super::words::{interval, percent};
use super::{Line, Metric, Report, Way};
use crate::table::digits;
use crate::verdict::Verdict;

const STYLE: &str = include_str!("style.css");
/// Sizes in the picture's own units, which are pixels where it is shown 900 wide.
const WIDTH: f64 = 900.0;
/// Where labels end, and where the scale begins and ends.
const LEFT: f64 = 272.0;
const RIGHT: f64 = 885.0;
const TOP: f64 = 98.0;
const BAR_PITCH: f64 = 19.0;
const BAR_HEIGHT: f64 = 15.0;
const LINE_HEIGHT: f64 = 15.0;
const ROW_GAP: f64 = 9.0;
/// How many characters of a lever fit into a line.
const LABEL_CHARACTERS: usize = 28;
/// A character of a bar's figures is about so wide.
const CHARACTER: f64 = 6.1;

/// One rung's part of the picture.
struct Row<'a> {
    y: f64,
    label: Vec<String>,
    /// Each run's line.
    bars: Vec<(&'a str, &'a Line)>,
}

/// The picture of `report`'s waterfall; of its leave-one-out runs too, below.
pub fn render(report: &Report) -> String {
    let ways = |runs: &[NamedRun]| -> Vec<Way> {
        runs.iter().map(|run| way(&run.run, &run.label, report.metric)).collect()
    };
    let (with, without) = (ways(&report.runs), ways(&report.without));
    let Some(scale) = Scale::of(with.iter().chain(&without)) else {
        return empty(report.metric).into_string();
    };
    let (rows, end) = rows(&with, TOP, Line::title);
    let start = if without.is_empty() { end } else { end + 34.0 };
    let (removed, end) = rows_without(&without, start);
    let notes = notes(&with, &without);
    let height = end + 26.0 + 15.0 * notes.len() as f64;
    let title =
        format!("What each lever earned: {}, {}, log scale", report.metric.label(), report.metric.unit());
    let svg = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {WIDTH} {height:.0}")) width=(WIDTH)
            height=(format!("{height:.0}")) role="img" aria-label=(title) {
            style { (PreEscaped(STYLE)) }
            rect.ground width="100%" height="100%" rx="6" {}
            text.title x="16" y="28" { (title) }
            @for (index, line) in heads(report).iter().enumerate() {
                text.faint x="16" y=(48.0 + 14.0 * index as f64) { (line) }
            }
            (axis(scale, end))
            @for row in &rows { (drawn(row, scale, report.metric, Line::word)) }
            @if !without.is_empty() {
                text.caption x="16" y=(start - 12.0) { "The full set without one lever: what is lost" }
            }
            @for row in &removed { (drawn(row, scale, report.metric, Line::word_without)) }
            @for (index, note) in notes.iter().enumerate() {
                text.faint x="16" y=(format!("{:.1}", end + 24.0 + 15.0 * index as f64)) { (note) }
            }
        }
    };
    svg.into_string()
}

fn empty(metric: Metric) -> Markup {
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 60" width="900" height="60" role="img" {
            style { (PreEscaped(STYLE)) }
            rect.ground width="100%" height="100%" rx="6" {}
            text.title x="16" y="36" { "No value of " (metric.label()) " is known." }
        }
    }
}

fn heads(report: &Report) -> Vec<String> {
    let told = |named: &NamedRun| {
        let run = &named.run;
        let modelled = if run.modelled.is_empty() { "" } else { " (MODELLED distance)" };
        format!("{}{modelled}: {} rounds of {}", named.label, run.environment.profile.rounds, run.started)
    };
    let named: Vec<String> = report.runs.iter().map(told).collect();
    vec![
        named.join("; "),
        "bar: from the rung before to this one; line: 95 % interval; share: of the way from foot to top"
            .to_owned(),
    ]
}

fn rows<'a>(ways: &'a [Way], top: f64, title: impl Fn(&Line) -> String) -> (Vec<Row<'a>>, f64) {
    let mut y = top;
    let lines = ways.first().map_or(&[][..], |way| &way.lines);
    let rows = lines.iter().enumerate().map(|(index, line)| {
        let bars: Vec<_> = ways.iter().map(|way| (way.label.as_str(), &way.lines[index])).collect();
        let label = broken(&title(line), LABEL_CHARACTERS);
        let height = (bars.len() as f64 * BAR_PITCH).max(label.len() as f64 * LINE_HEIGHT);
        let row = Row { y, label, bars };
        y += height + ROW_GAP;
        row
    });
    (rows.collect(), y)
}

/// Leave-one-out runs need not have the same levers, so each stands for itself.
fn rows_without(ways: &[Way], top: f64) -> (Vec<Row<'_>>, f64) {
    let mut all = Vec::new();
    let mut y = top;
    for way in ways {
        let title = |line: &Line| line.lever.clone().unwrap_or_else(|| line.rung.clone());
        let (rows, end) = rows(std::slice::from_ref(way), y, title);
        all.extend(rows);
        y = end;
    }
    (all, y)
}

fn x(scale: Scale, value: f64) -> f64 {
    LEFT + scale.place(value) * (RIGHT - LEFT)
}

fn axis(scale: Scale, end: f64) -> Markup {
    html! {
        @for mark in scale.marks() {
            @let at = format!("{:.1}", x(scale, mark));
            line.grid x1=(at) x2=(at) y1=(TOP - 6.0) y2=(format!("{end:.1}")) {}
            text.mark x=(at) y=(TOP - 10.0) text-anchor="middle" { (mark.to_string()) }
        }
    }
}

fn drawn(row: &Row<'_>, scale: Scale, metric: Metric, word: fn(&Line) -> &'static str) -> Markup {
    let foot = row.bars.iter().all(|(_, line)| line.lever.is_none());
    html! {
        g class=(if foot { "row foot" } else { "row" }) {
            line.divider x1="16" x2=(RIGHT) y1=(format!("{:.1}", row.y - ROW_GAP / 2.0)) y2=(format!("{:.1}", row.y - ROW_GAP / 2.0)) {}
            @for (index, part) in row.label.iter().enumerate() {
                text.label x="16" y=(format!("{:.1}", row.y + 12.0 + LINE_HEIGHT * index as f64)) { (part) }
            }
            @for (index, (label, line)) in row.bars.iter().enumerate() {
                (bar(label, line, row.y + BAR_PITCH * index as f64, scale, metric, word(line)))
            }
        }
    }
}

fn bar(label: &str, line: &Line, y: f64, scale: Scale, metric: Metric, word: &str) -> Markup {
    let positive = |value: Option<f64>| value.filter(|value| *value > 0.0);
    let value = positive(line.earned.value).map(|value| x(scale, value));
    let before = positive(line.before).map(|before| x(scale, before)).or(value);
    let said = figures(line, metric, word);
    let middle = format!("{:.1}", y + BAR_HEIGHT / 2.0);
    let text_y = format!("{:.1}", y + BAR_HEIGHT - 3.5);
    html! {
        text.network x=(LEFT - 8.0) y=(text_y) text-anchor="end" { (label) }
        @if let (Some(value), Some(before)) = (value, before) {
            @let (low, high) = (value.min(before), value.max(before));
            @let ends = whisker(line).map(|ends| ends.map(|end| x(scale, end)));
            g class={ "bar " (class(line.earned.verdict)) } {
                title { (line.rung) ", " (label) ": " (said) }
                rect.gone x=(format!("{low:.1}")) y=(format!("{y:.1}")) width=(format!("{:.1}", (high - low).max(1.0))) height=(BAR_HEIGHT) {}
                rect.now x=(format!("{:.1}", value - 1.5)) y=(format!("{y:.1}")) width="3" height=(BAR_HEIGHT) {}
                @if let Some([from, to]) = ends {
                    line.whisker x1=(format!("{from:.1}")) x2=(format!("{to:.1}")) y1=(middle) y2=(middle) {}
                }
            }
            @let reach = ends.map_or([low, high], |[from, to]| [low.min(from), high.max(to)]);
            @let clear = ends.map_or(value + 2.0, |[_, to]| to.max(value + 2.0));
            @let (at, anchor) = place(reach, clear, said.chars().count());
            text.figures x=(format!("{at:.1}")) y=(text_y) text-anchor=(anchor) { (said) }
        } @else {
            text.figures x=(LEFT) y=(text_y) { (said) }
        }
    }
}

/// Where a bar's figures stand: beside it, where there is more room; if neither side has enough, on it, which its colour allows, but
/// `clear` of the value and its whisker.
fn place([low, high]: [f64; 2], clear: f64, characters: usize) -> (f64, &'static str) {
    let needed = characters as f64 * CHARACTER + 8.0;
    let (left, right) = (low - LEFT, RIGHT - high);
    match () {
        () if right >= needed => (high + 6.0, "start"),
        () if left >= needed => (low - 6.0, "end"),
        () => ((clear + 6.0).clamp(LEFT, (RIGHT - needed).max(LEFT)), "start"),
    }
}

fn figures(line: &Line, metric: Metric, word: &str) -> String {
    let Some(value) = line.earned.value else { return "not known".to_owned() };
    let mut said = vec![format!("{} {}", digits(metric.shown(value)), metric.unit())];
    if let Some(ratio) = line.earned.ratio {
        let known = line.earned.interval.map(|known| format!(" ({})", interval(Some(known))));
        said.push(format!("× {}{}", digits(ratio), known.unwrap_or_default()));
    }
    said.extend(line.share.map(|share| percent(Some(share))));
    said.extend((!word.is_empty()).then(|| word.to_owned()));
    said.join("  ")
}

fn class(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Better) => "better",
        Some(Verdict::Worse) => "worse",
        _ => "even",
    }
}

fn notes(with: &[Way], without: &[Way]) -> Vec<String> {
    let mut notes = Vec::new();
    if with.iter().any(|way| way.whole.is_some()) {
        notes.push(
            "Each lever is added to all above it; in another order the same levers have other shares."
                .to_owned(),
        );
    }
    if with.iter().flat_map(|way| &way.lines).any(|line| line.lever.is_some() && line.beside) {
        notes.push(
            "Rungs with \"against\" stand beside the way from foot to top and have no share.".to_owned(),
        );
    }
    if !without.is_empty() {
        notes.push("What earned above and loses little when taken away, another lever covers.".to_owned());
    }
    notes
}

/// `text` broken between words into lines of at most `most` characters; a longer word stays whole.
fn broken(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
