//! The aligned waterfall: a row a step, both variants' bars on one scale.
//!
//! Apart from the page because it is the picture the page is for. The bars are SVG within a table's cells, so that names and
//! figures stay text that wraps, scales and is read aloud. Invariant: one scale for all rows of a pair.

use maud::{Markup, html};

use crate::traces::figures::{ms, optional_ms, signed_ms};
use crate::traces::html::direction;
use crate::traces::pair::{Bar, Pair, Row};

/// Heights within a row's picture, in pixels.
const ROW_HEIGHT: i64 = 30;
const BAR_HEIGHT: i64 = 9;
/// About how many marks the axis has.
const MARKS: i64 = 6;

/// The pair's one scale.
struct Scale {
    start_us: i64,
    end_us: i64,
    cut: bool,
}

impl Scale {
    /// Percent of the picture's width; a little is left free at the right for the narrowest bar.
    fn x(&self, us: i64) -> f64 {
        99.0 * (us - self.start_us) as f64 / (self.end_us - self.start_us) as f64
    }

    fn percent(&self, us: i64) -> String {
        format!("{:.3}%", self.x(us))
    }

    fn width(&self, from_us: i64, to_us: i64) -> String {
        format!("{:.3}%", self.x(to_us) - self.x(from_us))
    }

    /// Round times, 0 among them.
    fn marks(&self) -> Vec<i64> {
        let step = round_step((self.end_us - self.start_us) / MARKS);
        let first = self.start_us.div_euclid(step) + i64::from(self.start_us.rem_euclid(step) != 0);
        // The last would be written over the edge.
        let fits = |us: &i64| self.x(*us) < 94.0;
        (first..).map(|index| index.saturating_mul(step)).take_while(fits).collect()
    }
}

/// 1, 2 or 5 times a power of ten, not less than `us`.
fn round_step(us: i64) -> i64 {
    let mut power: i64 = 1;
    loop {
        for factor in [1, 2, 5] {
            if power.saturating_mul(factor) >= us {
                return power.saturating_mul(factor);
            }
        }
        power = power.saturating_mul(10);
    }
}

/// The table of `pair`.
pub(super) fn table(pair: &Pair) -> Markup {
    let (start_us, end_us) = pair.scale();
    let scale = Scale { start_us, end_us, cut: pair.from.gap_us > 0 || pair.to.gap_us > 0 };
    let sum: i64 = pair.rows.iter().map(|row| row.self_difference_us).sum();
    html! {
        div.scroll {
            table.waterfall {
                thead {
                    tr {
                        th scope="col" { "step" }
                        th.picture scope="col" { (axis(&scale)) }
                        th.number scope="col" { (pair.from.variant) ", ms" }
                        th.number scope="col" { (pair.to.variant) ", ms" }
                        th.number scope="col" { "difference" }
                        th.number scope="col" { "self, ms" }
                        th.number scope="col" { "self difference" }
                    }
                }
                tbody { @for row in &pair.rows { (line(row, pair, &scale)) } }
                tfoot {
                    tr {
                        th scope="row" colspan="6" { "sum of self differences" }
                        td.number { (signed_ms(sum)) }
                    }
                }
            }
        }
    }
}

fn axis(scale: &Scale) -> Markup {
    html! {
        svg width="100%" height="22" role="img" aria-label="time in milliseconds" {
            @for us in scale.marks() {
                line.grid x1=(scale.percent(us)) x2=(scale.percent(us)) y1="15" y2="22" {}
                text x=(scale.percent(us)) y="12" text-anchor=(if scale.x(us) < 2.0 { "start" } else { "middle" }) {
                    (mark(us)) @if us == 0 { " ms" }
                }
            }
        }
    }
}

/// A round time without the zeros that say nothing.
fn mark(us: i64) -> String {
    let text = ms(us);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn line(row: &Row, pair: &Pair, scale: &Scale) -> Markup {
    let (from, to) = (&pair.from.variant, &pair.to.variant);
    let only = row.only(from, to);
    let side = if row.to_us.is_none() { "from" } else { "to" };
    html! {
        tr tabindex="0" class=[only.map(|_| "one-sided")] {
            th scope="row" {
                span.step style=(format!("padding-left:{}ch", 2 * row.depth)) { (row.step) }
                @if let Some(only) = only { span class={ "only " (side) } { "only " (only) } }
                span.details role="note" {
                    b { (row.path) }
                    (details(from, row.from_bar.as_ref()))
                    (details(to, row.to_bar.as_ref()))
                }
            }
            td.picture { (bars(row, pair, scale)) }
            td.number { (optional_ms(row.from_us)) }
            td.number { (optional_ms(row.to_us)) }
            td class={ "number " (direction(row.difference_us)) } { (signed_ms(row.difference_us)) }
            td.number { (ms(row.from_self_us)) " → " (ms(row.to_self_us)) }
            td class={ "number " (direction(row.self_difference_us)) } { (signed_ms(row.self_difference_us)) }
        }
    }
}

fn bars(row: &Row, pair: &Pair, scale: &Scale) -> Markup {
    html! {
        svg width="100%" height=(ROW_HEIGHT) aria-hidden="true" {
            @for us in scale.marks() {
                line class=(if us == 0 { "grid zero" } else { "grid" }) x1=(scale.percent(us)) x2=(scale.percent(us)) y1="0" y2=(ROW_HEIGHT) {}
            }
            @if let Some(bar) = &row.from_bar { (rectangle(bar, "from", 5, &row.path, &pair.from.variant, scale)) }
            @if let Some(bar) = &row.to_bar { (rectangle(bar, "to", 16, &row.path, &pair.to.variant, scale)) }
            @if scale.cut && scale.start_us < 0 { (gap_mark(scale)) }
        }
    }
}

/// Where time between INIT and the event was cut out: a break in the row at t = 0.
fn gap_mark(scale: &Scale) -> Markup {
    let x = scale.percent(0);
    html! {
        svg x=(x) y="0" width="1" height=(ROW_HEIGHT) overflow="visible" {
            path.cut d="M-2 0l3 5l-3 5l3 5l-3 5l3 5l-3 5" {}
        }
    }
}

fn rectangle(bar: &Bar, side: &str, y: i64, path: &str, variant: &str, scale: &Scale) -> Markup {
    let (start, end) = (bar.start_us, bar.end_us);
    // The step's own share, drawn from the left: how much, not when.
    let own = start.saturating_add(bar.self_us).min(end);
    let failed = if bar.facts.failure.is_some() { " failed" } else { "" };
    html! {
        g class={ "bar " (side) (failed) } {
            title { (variant) ": " (path) "\n" (sentence(bar)) }
            rect.whole x=(scale.percent(start)) y=(y) width=(scale.width(start, end)) height=(BAR_HEIGHT) {}
            rect.own x=(scale.percent(start)) y=(y) width=(scale.width(start, own)) height=(BAR_HEIGHT) {}
            // However short, it is seen.
            rect.own x=(scale.percent(start)) y=(y) width="2" height=(BAR_HEIGHT) {}
        }
    }
}

fn details(variant: &str, bar: Option<&Bar>) -> Markup {
    html! {
        span { (variant) ": " @match bar { Some(bar) => { (sentence(bar)) }, None => { "no such step" } } }
    }
}

fn sentence(bar: &Bar) -> String {
    let facts = &bar.facts;
    let (start, end) = (bar.start_us, bar.end_us);
    let mut said =
        vec![format!("{} to {} ms, {} ms, self {} ms", ms(start), ms(end), ms(end - start), ms(bar.self_us))];
    if !facts.sent_name.is_empty() {
        said.push(format!("sent as {}", facts.sent_name));
    }
    said.extend(facts.namespace.as_ref().map(|namespace| format!("a call ({namespace})")));
    said.extend(facts.failure.as_ref().map(|failure| format!("failed: {failure}")));
    said.extend(facts.unfinished.then(|| "never ended".to_owned()));
    said.extend(
        (facts.cut_us > 0).then(|| format!("cut by {} ms to lie within its parent", ms(facts.cut_us))),
    );
    said.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_zero_is_among_them() {
        let marks = |start_us, end_us| Scale { start_us, end_us, cut: false }.marks();
        assert_eq!(marks(-48_800, 129_900), [-0, 50_000, 100_000]);
        assert_eq!(marks(-3000, 10_000), [0, 5000]);
        assert_eq!(marks(0, 401), [0, 100, 200, 300]);
        assert_eq!(marks(0, 1), [0]);
        assert!(marks(i64::MIN / 4, i64::MAX / 4).len() < 20);
        assert_eq!(["0", "50", "0.1"], [mark(0), mark(50_000), mark(100)].each_ref().map(String::as_str));
    }
}
