//! Control groups, version 1: a group in each of several hierarchies.
//!
//! Apart from version 2 because every file has another name and another unit. Invariant: version 1's own freezer is never used: a
//! process frozen by it ignores SIGKILL, so it would outlive the lab.
//!
//! Files: <https://docs.kernel.org/admin-guide/cgroup-v1/memory.html>, <https://docs.kernel.org/scheduler/sched-bwc.html>,
//! <https://docs.kernel.org/admin-guide/cgroup-v1/cpuacct.html>.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::Usage;
use super::control_file::{Counters, field, write};
use super::share::PERIOD_US;

/// What a thread writes `0` to, to enter. Not `cgroup.procs`, which makes the kernel wait some milliseconds for every processor (a
/// grace period of its threadgroup lock); a child that has just been forked has only this one thread.
pub(super) const ENTRANCE: &str = "tasks";

/// Holds the group to `memory_mb`, swap included.
pub(super) fn limit_memory(group: &Path, memory_mb: u32) -> io::Result<()> {
    let bytes = (u64::from(memory_mb) << 20).to_string();
    write(group, "memory.limit_in_bytes", &bytes)?;
    // The second is missing where the kernel does not count swap; then nothing is to go there.
    write(group, "memory.memsw.limit_in_bytes", &bytes).or_else(|_| write(group, "memory.swappiness", "0"))
}

/// Prepares for [`set_quota`].
pub(super) fn set_period(group: &Path) -> io::Result<()> {
    write(group, "cpu.cfs_period_us", &PERIOD_US.to_string())
}

/// Processor time in a period; `None` for no limit.
pub(super) fn set_quota(group: &Path, quota_us: Option<u32>) -> io::Result<()> {
    let quota = quota_us.map_or_else(|| "-1".to_owned(), |quota_us| quota_us.to_string());
    write(group, "cpu.cfs_quota_us", &quota)
}

/// The counters of one sandbox's groups.
pub(super) struct UsageFiles {
    cpu_usage: Option<Counters>,
    cpu_stat: Counters,
    memory_peak: Counters,
    memory_oom: Counters,
}

impl UsageFiles {
    /// Opens those of the groups in the hierarchies of `cpu`, `cpuacct` (where there is one) and `memory`.
    pub(super) fn open(cpu: &Path, cpuacct: Option<&Path>, memory: &Path) -> io::Result<Self> {
        Ok(Self {
            cpu_usage: cpuacct.map(|group| Counters::open(group, "cpuacct.usage")).transpose()?,
            cpu_stat: Counters::open(cpu, "cpu.stat")?,
            memory_peak: Counters::open(memory, "memory.max_usage_in_bytes")?,
            memory_oom: Counters::open(memory, "memory.oom_control")?,
        })
    }

    /// The most memory charged to the group at once, in MB.
    pub(super) fn peak_memory_mb(&self) -> Option<f64> {
        self.memory_peak.number().map(super::v2::mb)
    }

    /// Reads the others.
    pub(super) fn usage(&self) -> Usage {
        let throttled = self.cpu_stat.read(|text| field(text, "throttled_time"));
        Usage {
            cpu: self.cpu_usage.as_ref().and_then(Counters::number).map(Duration::from_nanos),
            throttled: throttled.map(Duration::from_nanos),
            oom_kills: self.memory_oom.read(|text| field(text, "oom_kill")),
        }
    }
}
