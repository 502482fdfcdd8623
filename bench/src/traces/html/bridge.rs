//! The bridge from one total to the other: what each step adds or takes.
//!
//! Apart from the waterfall because its scale is another: totals, not moments. Invariant: each piece begins where the one before
//! it ended, the first at one total, the last at the other.

use maud::{Markup, html};

use crate::traces::figures::{ms, signed_ms};
use crate::traces::html::direction;
use crate::traces::pair::{Pair, shortened};

/// How many pieces are drawn.
const PIECES: usize = 12;
const ROW_HEIGHT: i64 = 22;
const BAR_HEIGHT: i64 = 12;

/// A line of the chart: from where to where, in microseconds.
struct Step {
    label: String,
    class: &'static str,
    figure: String,
    begin_us: i64,
    end_us: i64,
}

/// The bridge of `pair`.
pub(super) fn chart(pair: &Pair) -> Markup {
    let steps = steps(pair);
    let ends = || steps.iter().flat_map(|step| [step.begin_us, step.end_us]);
    let (low, high) = (ends().min().unwrap_or(0), ends().max().unwrap_or(0));
    let length = (high - low).max(1) as f64;
    let x = |us: i64| 99.0 * (us - low) as f64 / length;
    html! {
        div.scroll {
            table.bridge {
                tbody {
                    @for step in &steps {
                        tr tabindex="0" {
                            th scope="row" { (step.label) }
                            td class={ "number " (step.class) } { (step.figure) }
                            td.picture {
                                svg width="100%" height=(ROW_HEIGHT) aria-hidden="true" {
                                    line.grid x1=(percent(x(0))) x2=(percent(x(0))) y1="0" y2=(ROW_HEIGHT) {}
                                    g class={ "bar " (step.class) } {
                                        title { (step.label) ": " (step.figure) " ms" }
                                        @let left = step.begin_us.min(step.end_us);
                                        @let width = x(step.begin_us.max(step.end_us)) - x(left);
                                        rect.own x=(percent(x(left))) y="5" width=(percent(width)) height=(BAR_HEIGHT) {}
                                        rect.own x=(percent(x(left))) y="5" width="2" height=(BAR_HEIGHT) {}
                                    }
                                    line.joint x1=(percent(x(step.end_us))) x2=(percent(x(step.end_us))) y1="5" y2=(ROW_HEIGHT) {}
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn percent(x: f64) -> String {
    format!("{x:.3}%")
}

fn steps(pair: &Pair) -> Vec<Step> {
    let total = |label: &str, class, us| Step {
        label: label.to_owned(),
        class,
        figure: ms(us),
        begin_us: 0,
        end_us: us,
    };
    let mut steps = vec![total(&pair.from.variant, "from", pair.from_total_us)];
    let mut at_us = pair.from_total_us;
    for piece in shortened(&pair.bridge, PIECES) {
        let own = piece.self_difference_us;
        steps.push(Step {
            label: piece.path,
            class: direction(own),
            figure: signed_ms(own),
            begin_us: at_us,
            end_us: at_us + own,
        });
        at_us += own;
    }
    steps.push(total(&pair.to.variant, "to", pair.to_total_us));
    steps
}
