//! How much the host kept the bench from its processors, round by round.
//!
//! Apart from the idle share of [`crate::host`] because it is told for every round and not only under load: on shared processors
//! a CPU share is a ceiling, not a reservation, so a round that was disturbed should be known as one. Invariant: where the
//! system does not tell, nothing is claimed; a round's numbers are its own, from its first turn to its last.

use std::time::Instant;

use nix::unistd::{SysconfVar, sysconf};
use serde::{Deserialize, Serialize};

/// What one round suffered.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interference {
    /// From 1.
    pub round: u32,
    /// How long the round took, all turns of all variants and what is between them.
    pub elapsed_ms: f64,
    /// Time in which the hypervisor ran something else although this host had work, summed over its processors.
    pub steal_ms: Option<f64>,
    /// Time in which at least one task of this host waited for a processor. The lab's own sandboxes are among them, also
    /// while they are throttled: <https://docs.kernel.org/accounting/psi.html>.
    pub pressure_cpu_ms: Option<f64>,
}

/// Totals since the host started.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Totals {
    steal_ms: Option<f64>,
    pressure_cpu_ms: Option<f64>,
}

/// Watches the rounds go by.
#[derive(Debug, Default)]
pub struct Watch {
    round: Option<(u32, Instant, Totals)>,
    ended: Vec<Interference>,
}

impl Watch {
    /// A turn of `round` begins; that of another ends the round before.
    pub fn enter(&mut self, round: u32) {
        if self.round.is_some_and(|(current, ..)| current == round) {
            return;
        }
        self.end_round();
        self.round = Some((round, Instant::now(), Totals::read()));
    }

    /// The last turn has ended; tells all rounds.
    pub fn finish(mut self) -> Vec<Interference> {
        self.end_round();
        self.ended
    }

    fn end_round(&mut self) {
        let Some((round, begun, before)) = self.round.take() else { return };
        let after = Totals::read();
        self.ended.push(Interference {
            round,
            elapsed_ms: begun.elapsed().as_secs_f64() * 1e3,
            steal_ms: passed(before.steal_ms, after.steal_ms),
            pressure_cpu_ms: passed(before.pressure_cpu_ms, after.pressure_cpu_ms),
        });
    }
}

fn passed(before: Option<f64>, after: Option<f64>) -> Option<f64> {
    // The kernel's steal time may go back a little after a migration.
    before.zip(after).map(|(before, after)| (after - before).max(0.0))
}

impl Totals {
    fn read() -> Self {
        let file = |path: &str| std::fs::read_to_string(path).ok();
        let ticks_per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten();
        let steal = file("/proc/stat").as_deref().and_then(steal_ticks).zip(ticks_per_second);
        Self {
            steal_ms: steal.map(|(ticks, per_second)| ticks as f64 * 1e3 / per_second as f64),
            pressure_cpu_ms: file("/proc/pressure/cpu")
                .as_deref()
                .and_then(some_total_us)
                .map(|us| us as f64 / 1e3),
        }
    }
}

/// The eighth number of the first line of `/proc/stat`, in clock ticks.
fn steal_ticks(stat: &str) -> Option<u64> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    line.split_ascii_whitespace().nth(7)?.parse().ok()
}

/// The total of the line `some avg10=0.00 avg60=0.00 avg300=0.00 total=1234`, in microseconds.
fn some_total_us(pressure: &str) -> Option<u64> {
    let line = pressure.lines().find_map(|line| line.strip_prefix("some "))?;
    line.split_ascii_whitespace().find_map(|word| word.strip_prefix("total="))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steal_is_the_eighth_number_of_all_processors_together() {
        assert_eq!(
            steal_ticks("cpu  100 5 50 800 20 1 4 42 7 0\ncpu0 50 2 25 400 10 0 2 10 3 0\n"),
            Some(42)
        );
        assert_eq!(steal_ticks("cpu  100 5 50 800\n"), None);
        assert_eq!(steal_ticks("intr 1 2 3"), None);
    }

    #[test]
    fn pressure_is_the_total_of_some() {
        let pressure = "some avg10=2.72 avg60=9.57 avg300=9.66 total=94771335\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1\n";
        assert_eq!(some_total_us(pressure), Some(94_771_335));
        assert_eq!(some_total_us("full avg10=0.00 total=1\n"), None);
    }

    #[test]
    fn rounds_follow_each_other_and_the_turns_of_one_are_together() {
        let mut watch = Watch::default();
        for round in [1, 1, 2, 2, 2, 3] {
            watch.enter(round);
        }
        let rounds = watch.finish();
        assert_eq!(rounds.iter().map(|told| told.round).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(Watch::default().finish().is_empty());
    }

    #[test]
    fn what_is_unknown_before_or_after_stays_unknown_and_nothing_is_negative() {
        assert_eq!(passed(None, Some(1.0)), None);
        assert_eq!(passed(Some(1.0), None), None);
        assert_eq!(passed(Some(2.0), Some(5.5)), Some(3.5));
        assert_eq!(passed(Some(2.0), Some(1.0)), Some(0.0));
    }
}
