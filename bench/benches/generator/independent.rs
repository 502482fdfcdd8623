//! `oha`, a load generator that is not ours.
//!
//! Apart from ours. oha sends on a fixed number of connections. Without `--latency-correction` it counts from sending to the last
//! byte, as our service time does. With it, it counts from the moment its pacer woke: unlike our response time, how late the
//! pacer itself woke (tokio's timer, up to 1 ms) is not in it. Invariant: every request it reports was answered 200.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::figures::Figures;

/// More than are ever in flight, so that no request waits for a connection.
const CONNECTIONS: &str = "20";

/// What is read of its `--output-format json`; times are seconds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    summary: Summary,
    latency_percentiles: Percentiles,
    status_code_distribution: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    success_rate: f64,
    requests_per_sec: f64,
}

#[derive(Deserialize)]
struct Percentiles {
    p50: f64,
    p90: f64,
    p99: f64,
}

/// Sends `rate` requests a second to `url` for `duration`.
pub(crate) fn drive(
    oha: &Path,
    url: &str,
    rate: u32,
    duration: Duration,
    corrected: bool,
) -> anyhow::Result<Figures> {
    let mut command = Command::new(oha);
    command.args(["--no-tui", "--output-format", "json", "-c", CONNECTIONS, "-w"]);
    command.args(["-q", &rate.to_string(), "-z", &format!("{}s", duration.as_secs())]);
    if corrected {
        command.arg("--latency-correction");
    }
    let output = command.arg(url).output().with_context(|| format!("cannot start {}", oha.display()))?;
    ensure!(output.status.success(), "oha failed: {}", String::from_utf8_lossy(&output.stderr));
    let report: Report = serde_json::from_slice(&output.stdout).context("oha's report is not as expected")?;
    let (summary, statuses) = (report.summary, report.status_code_distribution);
    ensure!(
        summary.success_rate == 1.0 && statuses.keys().eq(["200"]),
        "oha: success rate {}, statuses {statuses:?}",
        summary.success_rate
    );
    let kept = summary.requests_per_sec / f64::from(rate);
    ensure!((0.98..=1.02).contains(&kept), "oha sent {} requests/s", summary.requests_per_sec);
    let Percentiles { p50, p90, p99 } = report.latency_percentiles;
    Ok(Figures { p50_ms: p50 * 1e3, p90_ms: p90 * 1e3, p99_ms: p99 * 1e3 })
}
