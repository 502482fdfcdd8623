//! How much of the processors a memory size buys, in the kernel's terms.
//!
//! Apart because it is arithmetic alone. Invariant: a quota is never below the millisecond that the kernel takes at least.

use std::thread::available_parallelism;

/// MB of memory that buy one vCPU (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>).
const MB_PER_VCPU: f64 = 1769.0;
/// Lambda's scheduling period: a 128 MB function runs 1.45 ms and stands still for 18.55 ms
/// (<https://github.com/pwrdrvr/lambda-throttling>).
pub(super) const PERIOD_US: u32 = 20_000;
/// The least quota the kernel accepts (`min_cfs_quota_period` in its scheduler).
const LEAST_QUOTA_US: u32 = 1_000;
/// What a sandbox has during INIT, whatever its memory.
const INIT_VCPUS: f64 = 2.0;

/// The vCPUs of a memory size.
pub(super) fn vcpus(memory_mb: u32) -> f64 {
    f64::from(memory_mb) / MB_PER_VCPU
}

/// Processor time in a period for the share of `memory_mb`, in microseconds.
pub(super) fn throttled_quota_us(memory_mb: u32) -> u32 {
    quota_us(vcpus(memory_mb))
}

/// The same during INIT; `None` where this machine has no more processors than that anyway.
pub(super) fn full_quota_us(memory_mb: u32, host_processors: u32) -> Option<u32> {
    let full = vcpus(memory_mb).max(INIT_VCPUS);
    (full < f64::from(host_processors)).then(|| quota_us(full))
}

fn quota_us(vcpus: f64) -> u32 {
    let quota_us = (vcpus * f64::from(PERIOD_US)).round();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a few vCPUs, never negative
    let quota_us = quota_us as u32;
    quota_us.max(LEAST_QUOTA_US)
}

/// Processors this process may use.
pub(super) fn host_processors() -> u32 {
    available_parallelism().ok().and_then(|count| u32::try_from(count.get()).ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_follows_the_memory_size() {
        assert_eq!(throttled_quota_us(128), 1_447);
        assert_eq!(throttled_quota_us(512), 5_789);
        assert_eq!(throttled_quota_us(1_769), 20_000);
        assert_eq!(throttled_quota_us(10_240), 115_772);
    }

    #[test]
    fn the_kernel_takes_no_less_than_a_millisecond() {
        assert_eq!(throttled_quota_us(64), 1_000);
    }

    #[test]
    fn init_has_two_processors_or_its_own_share_if_that_is_more() {
        assert_eq!(full_quota_us(128, 2), None);
        assert_eq!(full_quota_us(128, 8), Some(40_000));
        assert_eq!(full_quota_us(10_240, 8), Some(115_772));
        assert_eq!(full_quota_us(10_240, 4), None);
    }
}
