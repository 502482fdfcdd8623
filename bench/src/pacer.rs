//! Wakes at each arrival's instant and hands it over.
//!
//! Apart from the runtime because tokio's timer only knows whole milliseconds, more than a tenth of a fast answer: this is one
//! operating-system thread that sleeps to absolute deadlines. Invariant: arrivals come in order, and none before its instant;
//! a late one moves no later one.

use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Starts the thread; it sends each of `offsets` (ascending, from `origin`) when it is due, and ends after the last or when the
/// receiver is gone.
///
/// # Errors
/// The system's, where it starts no thread.
pub fn start(origin: Instant, offsets: Vec<Duration>) -> std::io::Result<UnboundedReceiver<Duration>> {
    let (due, receiver) = unbounded_channel();
    std::thread::Builder::new().name("pacer".into()).spawn(move || {
        wake_on_time();
        for offset in offsets {
            sleep_until(origin + offset);
            if due.send(offset).is_err() {
                break;
            }
        }
    })?;
    Ok(receiver)
}

/// Linux lets a thread sleep up to 50 microseconds too long, to wake several at once; this one it shall not.
///
/// <https://man7.org/linux/man-pages/man2/PR_SET_TIMERSLACK.2const.html>
fn wake_on_time() {
    #[cfg(target_os = "linux")]
    // A kernel that refuses leaves the thread as late as it was.
    let _ = nix::sys::prctl::set_timerslack(1);
}

fn sleep_until(deadline: Instant) {
    // A sleep may not end early by contract, but the check costs nothing and keeps the invariant ours.
    while let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        std::thread::sleep(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_arrive_in_order_and_none_before_its_instant() {
        let offsets: Vec<Duration> = (0..200_u64).map(|k| Duration::from_micros(k * 400)).collect();
        let origin = Instant::now() + Duration::from_millis(5);
        let mut arrivals = start(origin, offsets.clone()).unwrap();
        let mut seen = Vec::new();
        while let Some(offset) = arrivals.recv().await {
            assert!(Instant::now() >= origin + offset, "the arrival at {offset:?} came too early");
            seen.push(offset);
        }
        assert_eq!(seen, offsets);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn its_thread_asks_to_be_woken_on_time() {
        let asked = std::thread::spawn(|| {
            wake_on_time();
            nix::sys::prctl::get_timerslack()
        });
        assert_eq!(asked.join().unwrap().unwrap(), 1);
    }

    #[tokio::test]
    async fn arrivals_that_are_overdue_come_at_once_and_are_not_lost() {
        let offsets = vec![Duration::ZERO, Duration::from_millis(1), Duration::from_millis(2)];
        let origin = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
        let mut arrivals = start(origin, offsets.clone()).unwrap();
        let mut seen = Vec::new();
        while let Some(offset) = arrivals.recv().await {
            seen.push(offset);
        }
        assert_eq!(seen, offsets);
    }
}
