//! When a new sandbox may start: the scaling rate, where one is set, and this host's room.
//!
//! Apart from placement because neither is about which sandbox serves. Lambda's fleet has room for a thousand new sandboxes; here
//! more cold ones than the processors can carry would slow each other down, take longer than the requests they were started for,
//! and so call for yet more, until nothing is served. Invariant: a start is held back only while the host is busy.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many sandboxes of a function may be cold (in INIT or in their first invocation) at once, per processor of this host,
/// however busy it is.
const COLD_PER_PROCESSOR: u32 = 2;

/// The window of Lambda's scaling rate, <https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html>.
const SCALING_WINDOW: Duration = Duration::from_secs(10);

/// How long a reading of the host's idle time is awaited, and how often a request that was held back looks again.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The share of one processor that must have been idle for a further cold sandbox.
const ROOM: f64 = 0.25;

/// Whether one more sandbox may start.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Leave {
    Granted,
    /// Over the scaling rate: the request is throttled.
    OverRate,
    /// The host is busy: wait and ask again.
    HostIsBusy,
}

/// The gate of one function.
#[derive(Debug)]
pub(super) struct Gate {
    always: u32,
    per_window: Option<u32>,
    started: VecDeque<Instant>,
    idle: Option<IdleReading>,
}

#[derive(Clone, Copy, Debug)]
struct IdleReading {
    at: Instant,
    idle: Duration,
}

impl Gate {
    /// With `per_window` new sandboxes in ten seconds at most, or as many as the host carries.
    pub(super) fn new(per_window: Option<u32>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let always = u32::try_from(processors).unwrap_or(u32::MAX).saturating_mul(COLD_PER_PROCESSOR).max(4);
        Self { always, per_window, started: VecDeque::new(), idle: None }
    }

    /// Asks for a start while `cold` sandboxes are cold; `idle` tells the idle time of all processors so far.
    pub(super) fn ask(&mut self, cold: u32, now: Instant, idle: impl FnOnce() -> Option<Duration>) -> Leave {
        if let Some(limit) = self.per_window {
            while self.started.front().is_some_and(|at| now.duration_since(*at) >= SCALING_WINDOW) {
                self.started.pop_front();
            }
            if self.started.len() >= limit as usize {
                return Leave::OverRate;
            }
        }
        if cold >= self.always && !self.host_has_room(now, idle) {
            return Leave::HostIsBusy;
        }
        if self.per_window.is_some() {
            self.started.push_back(now);
        }
        Leave::Granted
    }

    /// Whether part of a processor has been idle lately. Each reading admits one start, so that its own work shows in the next.
    fn host_has_room(&mut self, now: Instant, idle: impl FnOnce() -> Option<Duration>) -> bool {
        if self.idle.is_some_and(|reading| now.duration_since(reading.at) < LOOK_AGAIN) {
            return false;
        }
        let Some(idle) = idle() else { return false };
        let before = self.idle.replace(IdleReading { at: now, idle });
        before.is_some_and(|before| {
            let share =
                idle.saturating_sub(before.idle).as_secs_f64() / now.duration_since(before.at).as_secs_f64();
            share > ROOM
        })
    }
}

/// The idle time of all processors since the system started; none where it does not tell.
pub(super) fn host_idle() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let ticks: u64 = stat.lines().next()?.split_ascii_whitespace().nth(4)?.parse().ok()?;
    // The unit that Linux shows to programs (USER_HZ) is a hundredth of a second.
    Some(Duration::from_millis(ticks * 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_host_holds_back_what_is_over_its_processors_and_an_idle_one_does_not() {
        let mut gate = Gate::new(None);
        let begun = Instant::now();
        let at = |ms: u64| begun + Duration::from_millis(ms);
        assert_eq!(gate.ask(gate.always - 1, begun, || None), Leave::Granted);
        let busy = || Some(Duration::ZERO);
        assert_eq!(gate.ask(gate.always, at(0), busy), Leave::HostIsBusy, "nothing to compare with yet");
        assert_eq!(gate.ask(gate.always, at(100), busy), Leave::HostIsBusy, "no idle time since");
        let idle = || Some(Duration::from_millis(90));
        assert_eq!(gate.ask(gate.always, at(200), idle), Leave::Granted);
        assert_eq!(gate.ask(gate.always, at(201), idle), Leave::HostIsBusy, "one start a reading");
    }

    #[test]
    fn the_scaling_rate_counts_starts_of_the_last_ten_seconds() {
        let mut gate = Gate::new(Some(2));
        let begun = Instant::now();
        assert_eq!(gate.ask(0, begun, || None), Leave::Granted);
        assert_eq!(gate.ask(0, begun, || None), Leave::Granted);
        assert_eq!(gate.ask(0, begun + Duration::from_secs(9), || None), Leave::OverRate);
        assert_eq!(gate.ask(0, begun + Duration::from_secs(10), || None), Leave::Granted);
    }
}
