//! What the lab itself costs: requests/s and latency of a function that does nothing, beside the same under `cargo lambda watch`.
//!
//! Apart from the experiment's bench, which compares functions and must not notice the lab. Rounds alternate between the
//! contenders, so that the machine's moods meet all of them; medians of the rounds are shown. `make bench-lab` runs it. Invariant:
//! a request that was not answered 200 in the end, or with another body, ends the whole bench.

#![allow(missing_docs)]

mod contenders;
mod crowd;
mod exchange;
mod http;
mod load;
mod share;

use std::time::Duration;

use anyhow::Context;
use contenders::{CargoLambda, Contender, Lab};
use load::Round;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);
const WARM_UP: Duration = Duration::from_secs(3);

/// Connections, requests in flight on them, and sandboxes of each comparison; the first is the one with the mark.
///
/// With more requests than sandboxes the lab refuses, as Lambda does, what `cargo lambda watch` keeps waiting: the last comparison
/// shows what that costs, the others leave it out.
const SETTINGS: [(usize, usize, u32); 3] = [(16, 4, 4), (16, 16, 16), (16, 16, 4)];

/// DESIGN.md's mark: the lab's requests/s to cargo lambda's.
const MARK: f64 = 3.0;

fn main() -> anyhow::Result<()> {
    // `cargo bench` passes --bench; anything else may name a part to run.
    let part = std::env::args().skip(1).find(|word| !word.starts_with("--"));
    let wanted = |name: &str| part.as_deref().is_none_or(|part| part == name);
    if wanted("throughput") {
        for (connections, in_flight, sandboxes) in SETTINGS {
            throughput(connections, in_flight, sandboxes)?;
        }
    }
    if wanted("share") {
        share::show()?;
    }
    if wanted("crowd") {
        crowd::show()?;
    }
    Ok(())
}

fn throughput(connections: usize, in_flight: usize, sandboxes: u32) -> anyhow::Result<()> {
    println!(
        "hello at {connections} connections, {in_flight} requests in flight and {sandboxes} sandboxes, {ROUNDS} alternating rounds of {ROUND:?}"
    );
    let contenders: Vec<Box<dyn Contender>> = vec![
        Box::new(CargoLambda::start(sandboxes).context("cargo lambda watch")?),
        Box::new(Lab::start(sandboxes, &["--limits", "none", "--no-freeze"])?),
        Box::new(Lab::start(sandboxes, &["--limits", "none"])?),
        Box::new(Lab::start(sandboxes, &["--limits", "auto"])?),
    ];
    for contender in &contenders {
        load::drive(contender.url(), connections, in_flight, WARM_UP)?;
    }
    let mut rounds: Vec<Vec<Round>> = contenders.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for (contender, rounds) in contenders.iter().zip(&mut rounds) {
            let before = cpu_ms(contender.id());
            let mut round = load::drive(contender.url(), connections, in_flight, ROUND)?;
            round.server_cpu_ms = cpu_ms(contender.id()) - before;
            rounds.push(round);
        }
    }
    let mut per_second = Vec::new();
    for (contender, rounds) in contenders.iter().zip(&rounds) {
        let of = |value: fn(&Round) -> f64| median(rounds.iter().map(value).collect());
        per_second.push(of(Round::per_second));
        println!(
            "  {:<44} {:>7.0} requests/s   p50 {:>6.2} ms   p99 {:>7.2} ms   its CPU {:>5.0} us/request   \
             refused and asked again {:>6.0}/s",
            contender.name(),
            of(Round::per_second),
            of(|round| round.percentile_ms(0.50)),
            of(|round| round.percentile_ms(0.99)),
            of(Round::server_cpu_us),
            of(Round::refused_per_second),
        );
    }
    println!(
        "  lab without freezing to cargo lambda: {:.2} times (mark {MARK})",
        per_second[1] / per_second[0]
    );
    println!(
        "  a lab that used no CPU at all: about {:.1} times; what is left is the function's and the load's",
        without_own_share(&rounds[1], per_second[1]) / per_second[0]
    );
    println!("  lab with freezing to cargo lambda: {:.2} times", per_second[3] / per_second[0]);
    contenders.into_iter().try_for_each(Contender::end)
}

/// The CPU time that a process has used so far, in milliseconds; its children's is not in it.
fn cpu_ms(id: u32) -> f64 {
    // In the nanoseconds of the scheduler, which /proc/PID/stat rounds to hundredths of a second.
    let tasks = std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let times = tasks.filter_map(|task| {
        std::fs::read_to_string(task.path().join("schedstat")).ok()?.split(' ').next()?.parse::<f64>().ok()
    });
    times.sum::<f64>() / 1e6
}

/// How many requests a second the processors would carry if the server's own share of each cost nothing.
fn without_own_share(rounds: &[Round], per_second: f64) -> f64 {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let processors_us = 1e6 * f64::from(u32::try_from(processors).unwrap_or(u32::MAX));
    let own_us = median(rounds.iter().map(Round::server_cpu_us).collect());
    processors_us / (processors_us / per_second - own_us)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
