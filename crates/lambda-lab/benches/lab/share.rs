//! The lab's own share of an invocation: from its front to the sandbox and back, over what the bare Runtime API takes.

use std::time::Instant;

use anyhow::bail;

use crate::contenders::{Contender, Lab};
use crate::exchange;
use crate::http::Connection;

const INVOCATIONS: usize = 3000;

/// Measures and prints it, with one request in flight.
pub(crate) fn show() -> anyhow::Result<()> {
    println!("one request in flight, {INVOCATIONS} invocations, p50 (p99)");
    let bare = line("bare Runtime API", exchange::times_ms(INVOCATIONS)?);
    for options in [&["--limits", "none", "--no-freeze"][..], &["--limits", "none"], &["--limits", "auto"]] {
        let lab = Lab::start(4, options)?;
        let p50_ms = line(lab.name(), asked_ms(lab.url())?);
        println!("  {:<44} {:>8.3} ms: the lab's own share", "", p50_ms - bare);
        Box::new(lab).end()?;
    }
    Ok(())
}

fn asked_ms(url: &str) -> anyhow::Result<Vec<f64>> {
    let mut connection = Connection::to(url)?;
    // The first is a cold start.
    connection.ask()?;
    let mut times_ms = Vec::new();
    for _ in 0..INVOCATIONS {
        let asked = Instant::now();
        let (status, _) = connection.ask()?;
        times_ms.push(asked.elapsed().as_secs_f64() * 1e3);
        if status != 200 {
            bail!("{url} was answered {status}");
        }
    }
    Ok(times_ms)
}

/// Prints a line of percentiles; the median.
fn line(name: &str, mut times_ms: Vec<f64>) -> f64 {
    times_ms.sort_by(f64::total_cmp);
    let (p50, p99) = (times_ms[times_ms.len() / 2], times_ms[times_ms.len() * 99 / 100]);
    println!("  {name:<44} {p50:>8.3} ms ({p99:.3} ms)");
    p50
}
