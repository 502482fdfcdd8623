//! A closed loop: a number of requests in flight, each followed by the next as soon as it was answered.
//!
//! Apart from what is driven. A refusal for want of a sandbox (429, 503) is asked again at once: `cargo lambda watch` keeps such a
//! request waiting instead, so a request's time counts from its first try. Invariant: every request of a round ends with 200 and
//! `hello`, or the round is an error.

use std::time::{Duration, Instant};

use anyhow::bail;

use crate::http::Connection;

/// What one round gave.
pub(crate) struct Round {
    took: Duration,
    /// Milliseconds, sorted.
    times_ms: Vec<f64>,
    refused: u32,
    /// What the server's own process used meanwhile.
    pub(crate) server_cpu_ms: f64,
}

impl Round {
    /// Requests answered 200, each second.
    pub(crate) fn per_second(&self) -> f64 {
        count(self.times_ms.len()) / self.took.as_secs_f64()
    }

    /// The server's own CPU time of a request, in microseconds.
    pub(crate) fn server_cpu_us(&self) -> f64 {
        self.server_cpu_ms * 1e3 / count(self.times_ms.len())
    }

    /// Tries that were refused, each second.
    pub(crate) fn refused_per_second(&self) -> f64 {
        f64::from(self.refused) / self.took.as_secs_f64()
    }

    /// The time, in milliseconds, within which a share of the requests was answered.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(crate) fn percentile_ms(&self, share: f64) -> f64 {
        // A share below 1 of a length stays below it.
        let place = (count(self.times_ms.len()) * share) as usize;
        self.times_ms.get(place).copied().unwrap_or(f64::NAN)
    }
}

fn count(length: usize) -> f64 {
    u32::try_from(length).map_or(f64::INFINITY, f64::from)
}

/// Keeps `in_flight` requests for `url` in flight for as long as `round`, on `connections` connections that take turns.
pub(crate) fn drive(
    url: &str,
    connections: usize,
    in_flight: usize,
    round: Duration,
) -> anyhow::Result<Round> {
    let begun = Instant::now();
    let until = begun + round;
    let share = connections / in_flight;
    let asked: Vec<anyhow::Result<(Vec<f64>, u32)>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..in_flight).map(|_| scope.spawn(|| ask_until(url, share, until))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| bail!("a connection panicked")))
            .collect()
    });
    let took = begun.elapsed();
    let (mut times_ms, mut refused) = (Vec::new(), 0);
    for one in asked {
        let (times, refusals) = one?;
        times_ms.extend(times);
        refused += refusals;
    }
    times_ms.sort_by(f64::total_cmp);
    Ok(Round { took, times_ms, refused, server_cpu_ms: 0.0 })
}

/// One request in flight, on `connections` connections in turn.
fn ask_until(url: &str, connections: usize, until: Instant) -> anyhow::Result<(Vec<f64>, u32)> {
    let mut connections: Vec<_> =
        (0..connections).map(|_| Connection::to(url)).collect::<anyhow::Result<_>>()?;
    let (mut times_ms, mut refused) = (Vec::new(), 0);
    for turn in 0.. {
        let asked = Instant::now();
        if asked >= until {
            break;
        }
        let turn = turn % connections.len();
        let connection = &mut connections[turn];
        loop {
            match connection.ask()? {
                (200, b"hello") => break,
                (429 | 503, _) => refused += 1,
                (status, body) => bail!("{url} was answered {status}: {}", String::from_utf8_lossy(body)),
            }
        }
        times_ms.push(asked.elapsed().as_secs_f64() * 1e3);
    }
    Ok((times_ms, refused))
}
