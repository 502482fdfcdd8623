//! Waiting for what comes soon, with a bound.

use std::time::{Duration, Instant};

/// How long anything that is going to happen may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What `look` finds, asked every few milliseconds.
///
/// # Panics
/// When nothing was found within [`PATIENCE`]; `what` names it.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
