//! The metrics that a ladder is told in.
//!
//! Apart from the rungs because every output names and scales them alike. Invariant: of each, less is better.

use clap::ValueEnum;

use crate::run_file::Variant;

/// A metric of a rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Metric {
    /// REPORT Duration of warm invocations, median.
    Warm,
    /// The client's response time in the cold phase, median.
    Cold,
    /// Init Duration in the cold phase, median.
    Init,
    /// Processor time of a warm invocation, mean.
    Cpu,
    /// Lambda's price of a million requests.
    Cost,
    /// Time that a warm invocation was kept from running by its CPU share, mean.
    Throttled,
    /// Highest resident memory.
    Memory,
    /// The zipped program.
    Package,
}

impl Metric {
    /// All of them, in the order of `run.json`.
    pub const ALL: [Self; 8] = [
        Self::Warm,
        Self::Cold,
        Self::Init,
        Self::Cpu,
        Self::Cost,
        Self::Throttled,
        Self::Memory,
        Self::Package,
    ];

    /// Its name in `run.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Warm => "warm_ms_p50",
            Self::Cold => "cold_ms_p50",
            Self::Init => "init_ms_p50",
            Self::Cpu => "cpu_ms_per_invoke",
            Self::Cost => "cost_per_million_usd",
            Self::Throttled => "throttled_ms_per_invoke",
            Self::Memory => "max_memory_mb",
            Self::Package => "package_bytes",
        }
    }

    /// Its name in reports.
    pub fn label(self) -> &'static str {
        match self {
            Self::Warm => "warm p50",
            Self::Cold => "cold response p50",
            Self::Init => "init p50",
            Self::Cpu => "CPU per warm invocation",
            Self::Cost => "cost of a million requests",
            Self::Throttled => "throttled per warm invocation",
            Self::Memory => "memory peak",
            Self::Package => "package",
        }
    }

    /// The unit it is shown in.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Cost => "USD",
            Self::Memory | Self::Package => "MB",
            _ => "ms",
        }
    }

    /// A value of `run.json` in [`Self::unit`].
    pub fn shown(self, value: f64) -> f64 {
        if self == Self::Package { value / 1e6 } else { value }
    }

    /// Its one number for a variant, where it is not measured round by round: then a ratio of two has no interval.
    pub(super) fn plain(self, variant: &Variant) -> Option<Option<f64>> {
        match self {
            Self::Throttled => Some(variant.throttled_ms_per_invoke),
            Self::Memory => Some(variant.max_memory_mb),
            Self::Package => Some(variant.package_bytes.map(|bytes| bytes as f64)),
            _ => None,
        }
    }
}
