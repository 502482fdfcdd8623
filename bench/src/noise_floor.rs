//! What a variant differs by from itself (A/A), and what a difference must therefore exceed.
//!
//! Apart from the comparisons because it judges them. Invariant: the floor is as wide below 1 as above it, since which of the two
//! measurements came first means nothing; of several controls the widest counts.

use lambda_lab::experiment::control_name;

use crate::comparison::paired_metrics;
use crate::observation::Observation;
use crate::prices::Prices;
use crate::rounds::Rounds;
use crate::run_file::Control;

/// Compares each of `controls` (names of variants) with itself.
pub fn controls(
    controls: &[String],
    observations: &[Observation],
    rounds: u32,
    prices: &Prices,
) -> Vec<Control> {
    let of = |name: &str| Rounds::of(name, observations, rounds, prices);
    let control = |name: &String| Control {
        of: name.clone(),
        metrics: paired_metrics(&of(name), &of(&control_name(name)), &[]),
    };
    controls.iter().map(control).collect()
}

/// The noise floor of the metric called `name`: none without a control that could measure it.
pub fn noise_floor(controls: &[Control], name: &str) -> Option<[f64; 2]> {
    let metrics = controls.iter().flat_map(|control| &control.metrics).filter(|metric| metric.name == name);
    let reaches =
        metrics.filter_map(|metric| metric.interval).map(|[low, high]| low.ln().abs().max(high.ln().abs()));
    reaches.reduce(f64::max).map(|reach| [(-reach).exp(), reach.exp()])
}
