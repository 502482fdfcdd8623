//! Making a sandbox stand still, and letting it run again.
//!
//! Apart because it is asked for twice in every invocation. Invariant: from the moment [`Freezer::freeze`] has returned no thread of
//! the sandbox runs its own code. The kernel interrupts those that are running when the order is given; a thread that waits for a
//! processor, held back by its share perhaps, stands still before its next instruction, so the wait for all to report is short.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::control_file::{Counters, field, open_to_write};
use super::processes::Processes;

/// How long [`Freezer::freeze`] waits for the last thread to report. Those of a blocked function take some 30 microseconds.
const REPORT_LIMIT: Duration = Duration::from_millis(1);
/// How often it looks, giving way to the threads it waits for, before it sleeps between looks.
const EAGER_LOOKS: u32 = 32;
const LOOK_EVERY: Duration = Duration::from_micros(50);

/// How one sandbox is frozen.
pub(super) enum Freezer {
    /// By version 2's `cgroup.freeze` (<https://docs.kernel.org/admin-guide/cgroup-v2.html>), which needs no controller.
    Group { order: File, events: Counters },
    /// By stop signals to its process groups.
    Signals,
}

impl Freezer {
    /// That of a version 2 group.
    pub(super) fn of_group(group: &Path) -> io::Result<Self> {
        Ok(Self::Group {
            order: open_to_write(group, "cgroup.freeze")?,
            events: Counters::open(group, "cgroup.events")?,
        })
    }

    /// Orders all to stand still, and waits a moment for all to report that they do.
    pub(super) fn freeze(&self, processes: &Processes) -> io::Result<()> {
        match self {
            Self::Group { order, .. } => order.write_at(b"1", 0).map(drop)?,
            Self::Signals => processes.stop(),
        }
        let deadline = Instant::now() + REPORT_LIMIT;
        let mut looks = 0;
        while !self.all_report(processes) && Instant::now() < deadline {
            looks += 1;
            if looks <= EAGER_LOOKS { thread::yield_now() } else { thread::sleep(LOOK_EVERY) }
        }
        Ok(())
    }

    /// Lets all run again.
    pub(super) fn thaw(&self, processes: &Processes) -> io::Result<()> {
        match self {
            Self::Group { order, .. } => order.write_at(b"0", 0).map(drop),
            Self::Signals => {
                processes.resume();
                Ok(())
            }
        }
    }

    /// Whether every thread has reported that it stands still.
    pub(super) fn all_report(&self, processes: &Processes) -> bool {
        match self {
            Self::Group { events, .. } => events.read(|text| field(text, "frozen")) == Some(1),
            Self::Signals => processes.all_stopped(),
        }
    }
}
