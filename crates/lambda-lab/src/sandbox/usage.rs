//! Processor time and peak memory of a sandbox's processes, as the kernel counts them.
//!
//! Apart from the sandbox because it depends on the operating system. Invariant: a number that cannot be read is `None`, never
//! zero: the report then says "not measured".

use std::time::Duration;

use nix::unistd::Pid;

/// Processor time all of `processes` used so far; `None` where the system does not tell, or one of them is gone.
#[cfg(target_os = "linux")]
pub(super) fn cpu_time(processes: &[Pid]) -> Option<Duration> {
    let time =
        |pid: &Pid| -> nix::Result<Duration> { Ok(nix::time::clock_getcpuclockid(*pid)?.now()?.into()) };
    processes.iter().map(|pid| time(pid).ok()).sum()
}

/// Processor time all of `processes` used so far; not told on this system.
#[cfg(not(target_os = "linux"))]
pub(super) fn cpu_time(_processes: &[Pid]) -> Option<Duration> {
    None
}

/// Sum of the peak resident sizes of `processes`, in MB (2^20 bytes): at least what they held together at any time.
pub(super) fn peak_memory_mb(processes: &[Pid]) -> Option<f64> {
    let peak_kb = |pid: &Pid| -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    };
    let total_kb: f64 = processes.iter().map(peak_kb).sum::<Option<f64>>()?;
    Some(total_kb / 1024.0)
}
