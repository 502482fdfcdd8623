//! Three quantiles of a run, in milliseconds.
//!
//! Apart from the generators so that each prints and compares the same. Invariant: quantiles are as published in `run.json`.

use bench::statistics::{quantile, sorted};

/// Quantiles of one kind of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p99_ms: f64,
}

impl Figures {
    /// Of these times; not a number where there are none.
    pub(crate) fn of(times_ms: Vec<f64>) -> Self {
        let sorted = sorted(times_ms);
        let at = |percent| quantile(&sorted, percent).unwrap_or(f64::NAN);
        Self { p50_ms: at(50), p90_ms: at(90), p99_ms: at(99) }
    }

    /// Each quantile's median over `rounds`.
    pub(crate) fn median(rounds: &[Self]) -> Self {
        let of = |kind: fn(&Self) -> f64| {
            let sorted = sorted(rounds.iter().map(kind));
            quantile(&sorted, 50).unwrap_or(f64::NAN)
        };
        Self { p50_ms: of(|one| one.p50_ms), p90_ms: of(|one| one.p90_ms), p99_ms: of(|one| one.p99_ms) }
    }

    pub(crate) fn print(&self, what: &str) {
        println!("  {what:<36} {:>8.3} {:>8.3} {:>8.3}", self.p50_ms, self.p90_ms, self.p99_ms);
    }
}

/// How far the rounds' medians are apart, as a share of the least.
pub(crate) fn band(rounds: &[Figures]) -> f64 {
    let medians = || rounds.iter().map(|round| round.p50_ms);
    medians().fold(f64::MIN, f64::max) / medians().fold(f64::MAX, f64::min) - 1.0
}
