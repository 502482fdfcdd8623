//! Shows how far a run is: a bar on a terminal, a line a step elsewhere.
//!
//! Apart from the phases so that they only say what happened. Invariant: everything goes to standard error; the table on standard
//! output stays clean.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::plan::Step;

/// Shows the steps of one run.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    rounds: u32,
}

impl Progress {
    /// For a run of `rounds` rounds and so many `requests` in all.
    pub fn new(rounds: u32, requests: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(requests), ProgressDrawTarget::stderr_with_hz(10));
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} requests, {elapsed}  {msg}")
            {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, rounds }
    }

    /// A step begins.
    pub fn begin(&self, step: &Step) {
        if let Some(bar) = &self.bar {
            bar.set_message(self.title(step));
        }
    }

    /// A request is done.
    pub fn advance(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// A step of so many requests is done.
    pub fn end(&self, step: &Step, requests: u64, begun: Instant) {
        if self.bar.is_none() {
            let seconds = begun.elapsed().as_secs_f64();
            note(&format!("{}: {requests} requests in {seconds:.1} s", self.title(step)));
        }
    }

    /// Removes the bar.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn title(&self, step: &Step) -> String {
        format!("round {}/{}, {} {}", step.round, self.rounds, step.variant, step.turn)
    }
}

/// Says a line on standard error. Not `eprintln!`, which panics when nobody reads it any more.
pub fn note(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// A duration as people say it: `2 min 5 s`.
pub fn spoken(duration: Duration) -> String {
    match (duration.as_secs() / 60, duration.as_secs() % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_spoken() {
        assert_eq!(spoken(Duration::from_millis(59_900)), "59 s");
        assert_eq!(spoken(Duration::from_secs(125)), "2 min 5 s");
    }
}
