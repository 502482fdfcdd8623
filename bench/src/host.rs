//! What the host's processors did while the bench loaded the lab.
//!
//! Apart from the environment because it is read around every load turn. Invariant: where the system does not tell, nothing is
//! claimed.

/// Processor time since boot, summed over all processors, in clock ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTicks {
    /// With nothing to run, waiting for disks included.
    pub idle: u64,
    /// All of it.
    pub total: u64,
}

impl CpuTicks {
    /// Reads `/proc/stat`; none where there is none.
    pub fn read() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/stat").ok()?)
    }

    /// Reads the first line of `/proc/stat`: user nice system idle iowait irq softirq steal (guest times are part of user).
    fn parse(stat: &str) -> Option<Self> {
        let mut words = stat.lines().next()?.split_ascii_whitespace();
        if words.next() != Some("cpu") {
            return None;
        }
        let ticks: Vec<u64> = words.map_while(|word| word.parse().ok()).take(8).collect();
        let idle = ticks.get(3)? + ticks.get(4).unwrap_or(&0);
        Some(Self { idle, total: ticks.iter().sum() })
    }

    /// What passed from `earlier` until now.
    pub fn since(self, earlier: Self) -> Self {
        Self { idle: self.idle.saturating_sub(earlier.idle), total: self.total.saturating_sub(earlier.total) }
    }
}

/// Share of idle time in all of `spans`; none if any could not be read or no tick passed.
pub fn idle_share(spans: &[Option<CpuTicks>]) -> Option<f64> {
    let spans: Option<Vec<CpuTicks>> = spans.iter().copied().collect();
    let (idle, total) =
        spans?.iter().fold((0, 0), |(idle, total), span| (idle + span.idle, total + span.total));
    (total > 0).then(|| idle as f64 / total as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  100 5 50 800 20 1 4 20 7 0\ncpu0 50 2 25 400 10 0 2 10 3 0\n";

    #[test]
    fn the_first_line_is_read_and_guest_time_is_not_counted_twice() {
        assert_eq!(CpuTicks::parse(STAT), Some(CpuTicks { idle: 820, total: 1000 }));
        assert_eq!(CpuTicks::parse("intr 1 2 3"), None);
        assert_eq!(CpuTicks::parse("cpu 1 2"), None);
    }

    #[test]
    fn the_idle_share_is_over_all_spans_or_unknown() {
        let span = |idle, total| Some(CpuTicks { idle, total });
        assert_eq!(idle_share(&[span(10, 100), span(0, 100)]), Some(0.05));
        assert_eq!(idle_share(&[span(10, 100), None]), None);
        assert_eq!(idle_share(&[]), None);
        let passed = CpuTicks { idle: 15, total: 40 }.since(CpuTicks { idle: 10, total: 20 });
        assert_eq!(passed, CpuTicks { idle: 5, total: 20 });
    }
}
