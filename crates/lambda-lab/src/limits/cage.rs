//! The cage of one sandbox: everything the lab can do to its processes.
//!
//! Apart from the backends because it remembers what was ordered. Invariant: a value that is already set is not written again: freeze
//! and thaw are on the way of every invocation.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::unistd::Pid;

use super::entrance::Entrance;
use super::freezer::Freezer;
use super::groups::{Groups, is_name};
use super::processes::Processes;
use super::{Shared, Usage, share};

/// One sandbox's limits. Dropped, it kills what is in it; its groups are removed as soon as the last process has died.
pub(crate) struct Cage {
    groups: Groups,
    freezer: Freezer,
    processes: Processes,
    memory_mb: u32,
    /// What is in force.
    ordered: Mutex<Ordered>,
}

struct Ordered {
    frozen: bool,
    quota_us: Option<u32>,
}

impl Cage {
    pub(super) fn new(shared: &Arc<Shared>, id: &str, memory_mb: u32) -> io::Result<Self> {
        if !is_name(id) {
            let message = format!("`{id}` cannot name a control group: use letters, digits and `-`");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let (groups, freezer) = Groups::make(shared, id, memory_mb)?;
        let ordered = Mutex::new(Ordered { frozen: false, quota_us: None });
        let cage = Self { groups, freezer, processes: Processes::default(), memory_mb, ordered };
        cage.full_speed()?;
        Ok(cage)
    }

    /// What a process is given to be in this cage from its first instruction; it must not be frozen then.
    pub(crate) fn entrance(&self) -> Entrance {
        self.groups.entrance()
    }

    /// Remembers the leader of a process group that was started in this cage.
    pub(crate) fn adopt(&self, leader: Pid) {
        self.processes.adopt(leader, !self.groups.hold_processes());
    }

    /// Lambda's INIT: two processors, or the sandbox's share if that is more.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn full_speed(&self) -> io::Result<()> {
        self.set_quota(share::full_quota_us(self.memory_mb, share::host_processors()))
    }

    /// The share that the memory size buys. May be called while frozen.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn throttle(&self) -> io::Result<()> {
        self.set_quota(Some(share::throttled_quota_us(self.memory_mb)))
    }

    fn set_quota(&self, quota_us: Option<u32>) -> io::Result<()> {
        let mut ordered = self.ordered();
        if ordered.quota_us != quota_us {
            self.groups.set_quota(quota_us)?;
            ordered.quota_us = quota_us;
        }
        Ok(())
    }

    /// Makes every process stand still: none runs its own code any more when this returns. Waits a millisecond at most.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn freeze(&self) -> io::Result<()> {
        let mut ordered = self.ordered();
        if !ordered.frozen {
            self.freezer.freeze(&self.processes)?;
            ordered.frozen = true;
        }
        Ok(())
    }

    /// Lets every process go on.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn thaw(&self) -> io::Result<()> {
        let mut ordered = self.ordered();
        if ordered.frozen {
            self.freezer.thaw(&self.processes)?;
            ordered.frozen = false;
        }
        Ok(())
    }

    /// What was used since the cage was made.
    pub(crate) fn usage(&self) -> Usage {
        let usage = self.groups.usage();
        Usage { cpu: usage.cpu.or_else(|| self.processes.cpu_time()), ..usage }
    }

    /// The most memory that was held at once, in MB (2^20 bytes): the greater of what was charged to the group, kernel memory
    /// included, and of what its leaders had resident. A group is not charged for pages of a file that another group read first
    /// (<https://docs.kernel.org/admin-guide/cgroup-v1/memory.html>, 2.3), and nobody shares a cache with a sandbox on AWS.
    pub(crate) fn peak_memory_mb(&self) -> Option<f64> {
        let both = [self.groups.peak_memory_mb(), self.processes.peak_memory_mb()];
        both.into_iter().flatten().reduce(f64::max)
    }

    /// Kills every process in the cage, frozen or not, those that left their group included. The cage can be used again after a
    /// [`Cage::thaw`].
    pub(crate) fn kill(&self) {
        if self.groups.hold_processes() {
            self.groups.kill();
            self.processes.forget();
        } else {
            self.processes.kill();
        }
    }

    /// Whether every thread has reported that it stands still.
    #[cfg(test)]
    pub(super) fn stands_still(&self) -> bool {
        self.freezer.all_report(&self.processes)
    }

    fn ordered(&self) -> MutexGuard<'_, Ordered> {
        self.ordered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Cage {
    fn drop(&mut self) {
        self.kill();
    }
}
