//! What the load generator itself adds: how late it sends, and whether a generator that is not ours sees the same response times.
//!
//! Apart from the experiment's bench, which measures functions with it. Two idle targets in a process of their own: one answers at
//! once, one after 5 ms. On each our engine takes turns with `oha` (crates.io), which counts both ways it knows; what our own rounds
//! differ by is the band within which two generators are the same. `make bench-generator` runs it. Invariant: a request that was not answered ends the bench;
//! nothing is asserted of a time, the figures and the marks are printed.

#![allow(missing_docs)]

mod figures;
mod independent;
mod ours;
mod sink;

use std::path::{Path, PathBuf};
use std::time::Duration;

use figures::Figures;
use sink::{Kind, Sink};

/// Requests a second: DESIGN.md's mark is at this rate.
const RATE: u32 = 1000;
/// The generators take turns, so that the machine's moods meet all of them; medians of the rounds are shown.
const ROUNDS: usize = 3;
const DURATION: Duration = Duration::from_secs(5);
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
        "{RATE} requests/s for {ROUNDS} times {} s to an idle target on loopback; p50, p90, p99 in ms",
        DURATION.as_secs()
    );
    for kind in [Kind::AtOnce, Kind::AfterFiveMs] {
        compare(kind, oha.as_deref())?;
    }
    Ok(())
}

fn compare(kind: Kind, oha: Option<&Path>) -> anyhow::Result<()> {
    println!("\n{kind}");
    let sink = Sink::start(kind)?;
    let (mut ours, mut plain, mut corrected) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(ours::drive(sink.url(), RATE, DURATION)?);
        if let Some(oha) = oha {
            plain.push(independent::drive(oha, sink.url(), RATE, DURATION, false)?);
            corrected.push(independent::drive(oha, sink.url(), RATE, DURATION, true)?);
        }
    }
    let of = |kind: fn(&ours::Run) -> Figures| ours.iter().map(kind).collect::<Vec<_>>();
    let lag = Figures::median(&of(|run| run.lag));
    lag.print("ours: send lag (intended to sent)");
    Figures::median(&of(|run| run.response)).print("ours: response (intended to done)");
    let service = Figures::median(&of(|run| run.service));
    service.print("ours: service (sent to done)");
    if kind == Kind::AtOnce {
        let verdict = if lag.p50_ms <= LAG_MARK_MS { "kept" } else { "MISSED" };
        println!("  send lag p50 {:.3} ms: mark {LAG_MARK_MS} {verdict}, goal {LAG_GOAL_MS}", lag.p50_ms);
    }
    if oha.is_none() {
        println!("  no independent generator: set OHA to the program oha, or run `make bench-generator`");
        return Ok(());
    }
    let plain = Figures::median(&plain);
    plain.print("oha: service (sent to done)");
    Figures::median(&corrected).print("oha: corrected (woken to done)");
    agreement(service.p50_ms / plain.p50_ms, figures::band(&of(|run| run.service)));
    Ok(())
}

/// Like with like: both count from sending. The responses are not alike: in ours is how late the pacer woke, in oha's it is not.
fn agreement(ratio: f64, band: f64) {
    let agree = (ratio - 1.0).abs() <= AGREEMENT.max(band);
    println!(
        "  service p50, ours / oha: {ratio:.3}; ours / ours over the rounds: up to {:.3}; {} (within {AGREEMENT:.2}, or that band)",
        1.0 + band,
        if agree { "they agree" } else { "they DISAGREE" },
    );
}
