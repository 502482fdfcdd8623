//! Sends requests when the schedule says so, whether or not earlier ones have been answered.
//!
//! Apart from the phases because how load is generated decides what is measured: there is one task for each arrival and no pool
//! of workers, so a slow function gets more sandboxes, as on Lambda, not fewer requests. Invariant: every arrival becomes exactly
//! one sample, sent or dropped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::client::{self, Client, Shot, TIME_LIMIT};
use crate::pacer;
use crate::sample::Sample;

/// Between telling the pacer its start and the first arrival, so that the first is not late already.
const LEAD_IN: Duration = Duration::from_millis(10);

/// Why the load could not be generated.
#[derive(Debug, thiserror::Error)]
pub enum OpenLoopError {
    /// The pacer's thread.
    #[error("cannot start the pacer's thread: {0}")]
    Pacer(#[from] std::io::Error),
    /// A request's task.
    #[error("a request's task ended badly: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Sends `shot` of 0, 1, 2, .. at each of `arrivals` (ascending) and gives each sample to `keep` once it is done. With `in_flight_limit` requests
/// under way, further arrivals are dropped, never delayed.
///
/// # Errors
/// If the system refuses a thread. Failing requests are samples, not errors.
pub async fn drive(
    shot: impl Fn(u64) -> Shot,
    arrivals: Vec<Duration>,
    in_flight_limit: usize,
    keep: impl FnMut(Sample),
) -> Result<(), OpenLoopError> {
    drive_by(Client::new(TIME_LIMIT), shot, arrivals, in_flight_limit, keep).await
}

/// The same by a client of the caller's, which should have no connection yet.
///
/// # Errors
/// As [`drive`].
pub async fn drive_by(
    client: Client,
    shot: impl Fn(u64) -> Shot,
    arrivals: Vec<Duration>,
    in_flight_limit: usize,
    mut keep: impl FnMut(Sample),
) -> Result<(), OpenLoopError> {
    let client = Arc::new(client);
    let start = Instant::now() + LEAD_IN;
    let mut arrivals = pacer::start(start, arrivals)?;
    let mut in_flight = JoinSet::new();
    let mut number = 0;
    while let Some(intended) = arrivals.recv().await {
        let shot = shot(number);
        number += 1;
        if in_flight.len() < in_flight_limit {
            let client = Arc::clone(&client);
            in_flight.spawn(async move { client.fire(shot, start, Some(intended)).await });
        } else {
            keep(client::dropped(shot, intended));
        }
        // After the sending, so that keeping results never delays an arrival that is due.
        while let Some(done) = in_flight.try_join_next() {
            keep(done?);
        }
    }
    while let Some(done) = in_flight.join_next().await {
        keep(done?);
    }
    Ok(())
}
