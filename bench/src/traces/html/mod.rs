//! The comparison as one page that works offline.
//!
//! Apart from the other outputs because it draws. Everything is in the file: styles, pictures, no script. Invariant: nothing is
//! loaded from anywhere, and every name is escaped (by maud, and where it is part of no markup of ours).

mod bridge;
mod medians;
mod waterfall;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::traces::figures::{ms, signed_ms};
use crate::traces::pair::{Chosen, Pair};
use crate::traces::report::Report;

const STYLE: &str = include_str!("style.css");

/// The page of `report`.
pub fn render(report: &Report) -> String {
    let title = format!("Traces: {} → {}", report.from, report.to);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
                    p.run { "Run " code { (report.run) } }
                    (legend(report))
                    (contents(report))
                }
                main {
                    @for pair in &report.pairs { (section(pair)) }
                    @for medians in &report.medians { (medians::table(medians, report)) }
                    (notes(report))
                }
            }
        }
    };
    page.into_string()
}

fn legend(report: &Report) -> Markup {
    html! {
        p.legend {
            span.key.from {} (report.from) " "
            span.key.to {} (report.to) " "
            span.key.own {} "the stronger part of a bar is the step's own time, which no step below it has. "
            "Point at a bar, or reach a row with Tab, for details."
        }
    }
}

fn contents(report: &Report) -> Markup {
    html! {
        nav aria-label="Sections" {
            @for pair in &report.pairs {
                a href={ "#" (anchor(pair)) } {
                    (pair.kind) " p" (pair.percentile) " " b { (signed_ms(pair.to_total_us - pair.from_total_us)) " ms" }
                }
            }
            @for medians in &report.medians { a href={ "#medians-" (medians.kind) } { (medians.kind) " medians" } }
        }
    }
}

fn anchor(pair: &Pair) -> String {
    format!("{}-p{}", pair.kind, pair.percentile)
}

fn section(pair: &Pair) -> Markup {
    let difference = pair.to_total_us - pair.from_total_us;
    html! {
        section id=(anchor(pair)) {
            h2 { (pair.kind) " start, p" (pair.percentile) ": " (signed_ms(difference)) " ms" }
            ul.chosen {
                (chosen(&pair.from, pair.from_total_us, "from"))
                (chosen(&pair.to, pair.to_total_us, "to"))
            }
            (waterfall::table(pair))
            h3 { "Where the " (signed_ms(difference)) " ms are" }
            (bridge::chart(pair))
        }
    }
}

fn chosen(chosen: &Chosen, total_us: i64, side: &str) -> Markup {
    html! {
        li {
            span class={ "key " (side) } {}
            b { (chosen.variant) " " (ms(total_us)) " ms" }
            " chosen of " (chosen.of) ", trace " code { (chosen.trace_id) }
            @if chosen.gap_us > 0 {
                ", " (ms(chosen.gap_us)) " ms between the end of INIT and the event are not counted"
            }
            @for note in &chosen.notes { span.note { "a trace " (note) } }
        }
    }
}

fn notes(report: &Report) -> Markup {
    html! {
        section id="notes" {
            h2 { "How to read this" }
            p {
                "t = 0 is when the event was handed to the function; INIT stands before it. Every microsecond belongs to one step: of "
                "steps that run side by side, to the one that started last. So the self differences of all rows add up to the "
                "difference of the totals exactly, and so do the pieces of the bridge. Medians do not add up; their intervals "
                "(order statistics, at least 95 %) cover the scatter within this run only."
            }
            h3 { "What there was, could not be had, was mended or left out" }
            ul { @for line in report.remarks() { li { (line.trim()) } } }
        }
    }
}

/// Whether less or more time, for colours; signs say the same.
fn direction(us: i64) -> &'static str {
    match us {
        ..0 => "less",
        0 => "same",
        _ => "more",
    }
}
