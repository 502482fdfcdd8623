//! What the load generator itself adds: how late it sends, and whether a generator that is not ours sees the same response times.
//!
//! Apart from the experiment's bench, which measures functions with it. Two idle targets in a process of their own: one answers at
//! once, one after 5 ms. On each our engine runs twice, which shows what two equal runs differ by, and `oha` (crates.io) runs in
//! between, counting both ways it knows. `make bench-generator` runs it. Invariant: a request that was not answered ends the bench;
//! nothing is asserted of a time, the figures and the marks are printed.

#![allow(missing_docs)]

mod figures;
mod independent;
mod ours;
mod sink;

use std::path::PathBuf;
use std::time::Duration;

use figures::{Figures, ratio};
use sink::{Kind, Sink};

/// Requests a second: DESIGN.md's mark is at this rate.
const RATE: u32 = 1000;
const DURATION: Duration = Duration::from_secs(10);
/// DESIGN.md's mark and goal for the median send lag, in milliseconds.
const LAG_MARK_MS: f64 = 0.3;
const LAG_GOAL_MS: f64 = 0.1;
/// How far two generators' medians may be apart, as a share.
const AGREEMENT: f64 = 0.10;

fn main() -> anyhow::Result<()> {
    // `cargo bench` passes --bench; the word `sink` is how this program starts its own target.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if let [word, kind] = words.as_slice()
        && word == "sink"
    {
        return sink::serve(kind.parse()?);
    }
    let oha = std::env::var_os("OHA").map(PathBuf::from);
    println!(
        "{RATE} requests/s for {} s to an idle target on loopback, ms (p50, p90, p99)",
        DURATION.as_secs()
    );
    for kind in [Kind::AtOnce, Kind::AfterFiveMs] {
        compare(kind, oha.as_deref())?;
    }
    Ok(())
}

fn compare(kind: Kind, oha: Option<&std::path::Path>) -> anyhow::Result<()> {
    println!("\n{kind}");
    let sink = Sink::start(kind)?;
    let first = ours::drive(sink.url(), RATE, DURATION)?;
    first.lag.print("ours: send lag (intended to sent)");
    first.response.print("ours: response (intended to done)");
    first.service.print("ours: service (sent to done)");
    let theirs = oha
        .map(|oha| {
            let plain = independent::drive(oha, sink.url(), RATE, DURATION, false)?;
            plain.print("oha: service (sent to done)");
            let corrected = independent::drive(oha, sink.url(), RATE, DURATION, true)?;
            corrected.print("oha: corrected (woken to done)");
            anyhow::Ok((plain, corrected))
        })
        .transpose()?;
    let second = ours::drive(sink.url(), RATE, DURATION)?;
    second.response.print("ours again: response");
    second.service.print("ours again: service");

    if kind == Kind::AtOnce {
        let lag_ms = first.lag.p50_ms;
        let verdict = if lag_ms <= LAG_MARK_MS { "kept" } else { "MISSED" };
        println!("  send lag p50 {lag_ms:.3} ms: mark {LAG_MARK_MS} {verdict}, goal {LAG_GOAL_MS}");
    }
    let band = |of: fn(&ours::Run) -> Figures| (ratio(of(&second), of(&first)) - 1.0).abs();
    let (service_band, response_band) = (band(|run| run.service), band(|run| run.response));
    let Some((plain, corrected)) = theirs else {
        println!("  no independent generator: set OHA to the program oha, or run `make bench-generator`");
        return Ok(());
    };
    let service = ratio(first.service, plain);
    let agree = (service - 1.0).abs() <= AGREEMENT.max(service_band);
    println!(
        "  ours / oha, service p50, both from sending: {service:.3}, {}; ours twice differ by {:.1} % (mark: 10 % or that)",
        if agree { "agree" } else { "DISAGREE" },
        100.0 * service_band
    );
    println!(
        "  ours from intended / oha from waking, p50: {:.3}, not alike by how late a pacer wakes; ours twice differ by {:.1} %",
        ratio(first.response, corrected),
        100.0 * response_band
    );
    Ok(())
}
