//! A hundred sandboxes at once: all start, serve and end, and no request is lost.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::contenders::{Contender, Lab};
use crate::http::Connection;

const SANDBOXES: u32 = 100;

/// Long enough for a host that is not busy to start them all meanwhile, so that none serves twice; short enough for one that is to
/// serve them all within the HTTP API's 30 s by fewer.
const HOLD_MS: u32 = 3000;

/// Runs it and says what came of it.
pub(crate) fn show() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let records = dir.path().join("records").display().to_string();
    let lab = Lab::start_in(dir, SANDBOXES, &["--limits", "auto", "--records", &records])?;
    let url = format!("{}?sleep_ms={HOLD_MS}", lab.url());
    let begun = Instant::now();
    let statuses: Vec<anyhow::Result<u16>> = std::thread::scope(|scope| {
        let ask = || Connection::to(&url).and_then(|mut connection| Ok(connection.ask()?.0));
        let asked: Vec<_> = (0..SANDBOXES).map(|_| scope.spawn(ask)).collect();
        asked.into_iter().map(|one| one.join().unwrap_or_else(|_| bail!("a connection panicked"))).collect()
    });
    let took = begun.elapsed();
    let statuses: Vec<u16> = statuses.into_iter().collect::<Result<_, _>>()?;
    let answered = statuses.iter().filter(|status| **status == 200).count();
    // The records follow the answers.
    std::thread::sleep(Duration::from_millis(500));
    let records = std::fs::read_to_string(records)?;
    let sandbox =
        |line: &str| serde_json::from_str::<Value>(line).ok()?["sandbox"].as_str().map(str::to_owned);
    let sandboxes: BTreeSet<_> = records.lines().filter_map(sandbox).collect();
    let ending = Instant::now();
    let name = lab.name().to_owned();
    Box::new(lab).end().context("with a hundred sandboxes")?;
    println!("{SANDBOXES} requests at once, each held for {HOLD_MS} ms, {name}");
    println!(
        "  {answered} answered 200 by {} sandboxes in {took:.1?}; ended in {:.1?}",
        sandboxes.len(),
        ending.elapsed()
    );
    if answered != statuses.len() {
        bail!("{} of {SANDBOXES} requests were lost: {statuses:?}", statuses.len() - answered);
    }
    Ok(())
}
