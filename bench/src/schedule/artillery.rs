//! When Artillery's phases let their virtual users arrive.
//!
//! Apart from the continuous form because it is another program's arithmetic, rounding and all: Artillery 2's phaser
//! (packages/artillery/lib/core/phases.ts) over its library `arrivals` 2.1, in one worker. Invariant: the same arrivals as Artillery, to
//! the millisecond of its timers; `tests/artillery_phaser.rs` asks Artillery itself.

use std::time::Duration;

use crate::scenario::{Arrivals, Phase};

const SECOND_MS: f64 = 1000.0;

/// The arrivals of a scenario.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stepped {
    /// Their offsets from its start, ascending.
    pub arrivals: Vec<Duration>,
    /// How long it lasts: to the end of its last phase.
    pub span: Duration,
}

/// The arrivals of `phases`, one after the other.
pub fn artillery_arrivals(phases: &[Phase]) -> Stepped {
    let mut offsets_ms = Vec::new();
    let mut start_ms = 0.0;
    for phase in phases {
        let duration_ms = phase.duration_s * SECOND_MS;
        let (within_ms, length_ms) = match phase.arrivals {
            Arrivals::Pause => (Vec::new(), duration_ms),
            Arrivals::Rate(rate) => uniform(SECOND_MS / rate, duration_ms),
            Arrivals::Count(count) => uniform(duration_ms / f64::from(count), duration_ms),
            Arrivals::Ramp { from, to } => ramp(from, to, phase.duration_s),
        };
        offsets_ms.extend(within_ms.iter().map(|offset_ms| start_ms + offset_ms));
        start_ms += length_ms;
    }
    // A second of a steep ramp may end after the next has begun.
    offsets_ms.sort_by(f64::total_cmp);
    let duration = |ms: f64| Duration::from_secs_f64(ms / SECOND_MS);
    Stepped { arrivals: offsets_ms.into_iter().map(duration).collect(), span: duration(start_ms) }
}

/// Evenly, one each `interval_ms` cut to whole microseconds, the first after one interval; over with the last.
fn uniform(interval_ms: f64, duration_ms: f64) -> (Vec<f64>, f64) {
    let tick_us = (interval_ms * 1000.0).floor();
    let count = (duration_ms * 1000.0 / tick_us).floor() as u64;
    let at_ms = |number: u64| number as f64 * tick_us / 1000.0;
    ((1..=count).map(at_ms).collect(), at_ms(count))
}

/// A whole number for each second, from `from` in the first to `to` in the last: `(to - from) / (duration - 1) * second + from`,
/// rounded; the mean of both where there is only one.
fn ramp(from: f64, to: f64, duration_s: f64) -> (Vec<f64>, f64) {
    if duration_s == 1.0 {
        // Artillery has no interval for this case, so its timer fires as fast as it can.
        return (ticks(rounded(f64::midpoint(from, to)), 0.0, 0.0), SECOND_MS);
    }
    // A duration with a fraction has its last second in full.
    let seconds = duration_s.ceil() as u32;
    let step = (to - from) / (duration_s - 1.0);
    let offsets = (0..seconds).map(f64::from).flat_map(|second| {
        let count = rounded(step * second + from);
        ticks(count, second * SECOND_MS, (SECOND_MS / count as f64).floor())
    });
    (offsets.collect(), f64::from(seconds) * SECOND_MS)
}

/// Halves upwards; one worker has all of what does not divide. Below 0 there is nothing.
fn rounded(rate: f64) -> u64 {
    (rate.floor() + if rate.fract() >= 0.5 { 1.0 } else { 0.0 }) as u64
}

/// `count` arrivals from `start_ms`, each `interval_ms` (whole) after the one before, which a timer keeps at 1 ms or more.
fn ticks(count: u64, start_ms: f64, interval_ms: f64) -> Vec<f64> {
    let interval_ms = interval_ms.max(1.0);
    (1..=count).map(|number| start_ms + number as f64 * interval_ms).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(phases: &[(f64, Arrivals)]) -> (Vec<usize>, f64) {
        let phases: Vec<Phase> = phases
            .iter()
            .map(|(duration_s, arrivals)| Phase { duration_s: *duration_s, arrivals: *arrivals })
            .collect();
        let stepped = artillery_arrivals(&phases);
        assert!(stepped.arrivals.is_sorted());
        let mut counts = vec![0; stepped.span.as_secs_f64().ceil() as usize];
        for arrival in &stepped.arrivals {
            // One at a second's end is that second's.
            counts[(arrival.as_secs_f64() - 1e-9).floor() as usize] += 1;
        }
        (counts, stepped.span.as_secs_f64())
    }

    #[test]
    fn a_ramp_has_whole_arrivals_each_second() {
        let ramp = |from, to, seconds| counts(&[(seconds, Arrivals::Ramp { from, to })]);
        assert_eq!(ramp(1.0, 20.0, 5.0), (vec![1, 6, 11, 15, 20], 5.0));
        assert_eq!(ramp(20.0, 1.0, 5.0), (vec![20, 15, 11, 6, 1], 5.0));
        assert_eq!(ramp(0.5, 2.0, 4.0), (vec![1, 1, 2, 2], 4.0));
        assert_eq!(ramp(5.0, 0.0, 2.0), (vec![5, 0], 2.0));
        assert_eq!(ramp(1.0, 4.0, 1.0), (vec![3], 1.0), "the mean, rounded up");
        assert_eq!(ramp(2.0, 4.0, 1.5), (vec![2, 6], 2.0), "the second step is past the end of the ramp");
    }

    #[test]
    fn the_articles_ramp_has_its_arrivals() {
        let (counts, span_s) = counts(&[
            (20.0, Arrivals::Ramp { from: 1.0, to: 20.0 }),
            (50.0, Arrivals::Ramp { from: 20.0, to: 100.0 }),
        ]);
        assert_eq!((counts.iter().sum::<usize>(), span_s), (3210, 70.0));
        assert_eq!((counts[0], counts[19], counts[20], counts[69]), (1, 20, 20, 100));
    }

    #[test]
    fn steady_arrivals_come_at_the_ends_of_their_intervals() {
        let steady = artillery_arrivals(&[Phase { duration_s: 60.0, arrivals: Arrivals::Rate(50.0) }]);
        assert_eq!((steady.arrivals.len(), steady.span), (3000, Duration::from_secs(60)));
        assert_eq!(steady.arrivals[0], Duration::from_millis(20));
        assert_eq!(steady.arrivals[2999], Duration::from_secs(60));
    }

    #[test]
    fn intervals_are_whole_microseconds_so_a_fast_phase_gains_arrivals() {
        let fast = artillery_arrivals(&[Phase { duration_s: 10.0, arrivals: Arrivals::Rate(3000.0) }]);
        assert_eq!(fast.arrivals.len(), 30_030, "one each 333 us, not 333.3");
    }

    #[test]
    fn a_count_is_spread_over_its_phase_and_a_pause_passes() {
        let (counts, span_s) =
            counts(&[(4.0, Arrivals::Count(2)), (1.0, Arrivals::Pause), (1.0, Arrivals::Rate(2.0))]);
        assert_eq!((counts, span_s), (vec![0, 1, 0, 1, 0, 2], 6.0));
    }
}
