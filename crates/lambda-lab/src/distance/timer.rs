//! Waiting for sockets until an instant, to some microseconds.
//!
//! Apart because it is the one part that differs by system. On Linux a time-out of epoll counts whole milliseconds and is rounded
//! up, and tokio's timer does no better; a timerfd is an event like any other, fires by the kernel's high-resolution timer and
//! is not put off by the thread's timer slack (50 us by default). Elsewhere kqueue takes nanoseconds itself. A processor that
//! slept still needs some 50 us to come back, in a virtual machine above all, so the last [`SPIN`] before the instant are spent
//! looking instead of sleeping. Invariant: no wait ends before the instant unless a socket is ready, and none blocks past it.

use std::io;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

/// How long before an instant the thread stays awake for it: what one parcel may cost of a processor. On a 2-core virtual machine
/// an added 1 ms was 0.14 ms too long at the median without it and 0.05 ms with it.
const SPIN: Duration = Duration::from_micros(60);

/// The one alarm of a line's thread.
#[derive(Debug)]
pub(super) struct Alarm {
    #[cfg(target_os = "linux")]
    timer: nix::sys::timerfd::TimerFd,
    #[cfg(target_os = "linux")]
    set_for: Option<Instant>,
}

impl Alarm {
    /// Waits for events of `poll`; from [`SPIN`] before `due` on it does not sleep any more, and may return without one.
    pub(super) fn wait(
        &mut self,
        poll: &mut Poll,
        events: &mut Events,
        due: Option<Instant>,
    ) -> io::Result<()> {
        let near = due.is_some_and(|due| due.saturating_duration_since(Instant::now()) <= SPIN);
        let timeout = if near { Some(Duration::ZERO) } else { self.set(due.map(|due| due - SPIN))? };
        poll.poll(events, timeout)
    }
}

#[cfg(target_os = "linux")]
impl Alarm {
    /// Its events will come with `token`.
    pub(super) fn new(poll: &Poll, token: Token) -> io::Result<Self> {
        use std::os::fd::{AsFd as _, AsRawFd as _};

        use mio::Interest;
        use mio::unix::SourceFd;
        use nix::sys::timerfd::{ClockId, TimerFd, TimerFlags};

        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        // Its events are edges: setting it again clears the old one, so it need not be read.
        poll.registry().register(&mut SourceFd(&timer.as_fd().as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self { timer, set_for: None })
    }

    /// Sets it for `due`, in place of what it was set for; tells the time-out the poll needs beside it.
    fn set(&mut self, due: Option<Instant>) -> io::Result<Option<Duration>> {
        use nix::sys::timer::{Expiration, TimerSetTimeFlags};

        if self.set_for == due {
            return Ok(None);
        }
        self.set_for = due;
        match due {
            // 0 would switch it off.
            Some(due) => {
                let left = due.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
                self.timer.set(Expiration::OneShot(left.into()), TimerSetTimeFlags::empty())?;
            }
            None => self.timer.unset()?,
        }
        Ok(None)
    }
}

#[cfg(not(target_os = "linux"))]
impl Alarm {
    /// Needs no token here.
    pub(super) fn new(_poll: &Poll, _token: Token) -> io::Result<Self> {
        Ok(Self {})
    }

    /// The time-out the poll needs for `due`.
    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "the same call as on Linux")]
    fn set(&mut self, due: Option<Instant>) -> io::Result<Option<Duration>> {
        Ok(due.map(|due| due.saturating_duration_since(Instant::now())))
    }
}
