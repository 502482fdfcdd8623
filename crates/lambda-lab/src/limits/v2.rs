//! Control groups, version 2: one group with a file for everything.
//!
//! Apart from version 1 because every file has another name and another unit. Invariant: nothing here needs a controller that was
//! not found; [`UsageFiles`] reads what there is.
//!
//! Files: <https://docs.kernel.org/admin-guide/cgroup-v2.html>.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::Usage;
use super::control_file::{Counters, field, write};
use super::share::PERIOD_US;

/// What a process writes `0` to, to enter.
pub(super) const ENTRANCE: &str = "cgroup.procs";

/// Holds the group to `memory_mb`, nothing swapped; a full one is killed as a whole.
pub(super) fn limit_memory(group: &Path, memory_mb: u32) -> io::Result<()> {
    let bytes = (u64::from(memory_mb) << 20).to_string();
    write(group, "memory.max", &bytes)?;
    write(group, "memory.oom.group", "1")?;
    // Missing where the kernel does not count swap.
    let _ = write(group, "memory.swap.max", "0");
    Ok(())
}

/// Processor time in a period; `None` for no limit.
pub(super) fn set_quota(group: &Path, quota_us: Option<u32>) -> io::Result<()> {
    let quota = quota_us.map_or_else(|| "max".to_owned(), |quota_us| quota_us.to_string());
    write(group, "cpu.max", &format!("{quota} {PERIOD_US}"))
}

/// The counters of one sandbox's group; a file that is missing is one that the kernel or its controllers do not have.
pub(super) struct UsageFiles {
    cpu_stat: Option<Counters>,
    memory_peak: Option<Counters>,
    memory_events: Option<Counters>,
}

impl UsageFiles {
    /// Opens what there is.
    pub(super) fn open(group: &Path) -> Self {
        Self {
            cpu_stat: Counters::open(group, "cpu.stat").ok(),
            memory_peak: Counters::open(group, "memory.peak").ok(),
            memory_events: Counters::open(group, "memory.events").ok(),
        }
    }

    /// The most memory charged to the group at once, in MB (the kernel tells it since 5.19).
    pub(super) fn peak_memory_mb(&self) -> Option<f64> {
        self.memory_peak.as_ref().and_then(Counters::number).map(mb)
    }

    /// Reads them.
    pub(super) fn usage(&self) -> Usage {
        let times = |text: &str| Some((field(text, "usage_usec"), field(text, "throttled_usec")));
        let (cpu, throttled) = self.cpu_stat.as_ref().and_then(|file| file.read(times)).unwrap_or_default();
        let kills = |text: &str| field(text, "oom_kill");
        Usage {
            cpu: cpu.map(Duration::from_micros),
            throttled: throttled.map(Duration::from_micros),
            oom_kills: self.memory_events.as_ref().and_then(|file| file.read(kills)),
        }
    }
}

/// Bytes in MB (2^20 bytes).
#[allow(clippy::cast_precision_loss)] // exact up to 2^53 bytes
pub(super) fn mb(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
