//! The table of medians over all traces.
//!
//! Apart from the pairs because these figures do not add up and must not look as if they did. Invariant: no sum stands below it.

use maud::{Markup, html};

use crate::table::UNKNOWN;
use crate::traces::figures::fractional_ms;
use crate::traces::medians::{Median, Medians};
use crate::traces::report::Report;

/// The table of `medians`.
pub(super) fn table(medians: &Medians, report: &Report) -> Markup {
    html! {
        section id={ "medians-" (medians.kind) } {
            h2 { "Medians of all " (medians.kind) " traces" }
            div.scroll {
                table.medians {
                    thead {
                        tr {
                            th scope="col" { "step" }
                            (heads(&report.from, medians.from_traces))
                            (heads(&report.to, medians.to_traces))
                        }
                    }
                    tbody {
                        @for row in &medians.rows {
                            tr tabindex="0" {
                                th scope="row" title=(row.path) {
                                    span.step style=(format!("padding-left:{}ch", 2 * row.depth)) { (row.step) }
                                }
                                (cells(row.from.as_ref()))
                                (cells(row.to.as_ref()))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn heads(variant: &str, traces: usize) -> Markup {
    html! {
        th.number scope="col" { (variant) ", ms" }
        th.number scope="col" { "95 % interval" }
        th.number scope="col" { "self, ms" }
        th.number scope="col" { "in, of " (traces) }
    }
}

fn cells(median: Option<&Median>) -> Markup {
    html! {
        @match median {
            Some(median) => {
                td.number { b { (fractional_ms(median.us)) } }
                td.number.faint { (interval(median)) }
                td.number { (fractional_ms(median.self_us)) }
                td.number.faint { (median.traces) }
            },
            None => { td.number { (UNKNOWN) } td.number { (UNKNOWN) } td.number { (UNKNOWN) } td.number.faint { "0" } },
        }
    }
}

fn interval(median: &Median) -> String {
    let told =
        median.interval_us.map(|[low, high]| format!("{} – {}", fractional_ms(low), fractional_ms(high)));
    told.unwrap_or_else(|| UNKNOWN.to_owned())
}
