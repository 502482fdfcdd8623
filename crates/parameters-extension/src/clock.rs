//! What time it is, as a value that can be given.
//!
//! Apart so that a test moves the time instead of sleeping. It is the wall clock and not a monotonic one, because it is not
//! agreed whether the monotonic clock runs on while Lambda freezes a sandbox, and time spent frozen makes a value no fresher.
//! Invariant: everything that has to do with time to live or signatures asks the same clock.

use std::sync::Arc;
use std::time::SystemTime;

/// Tells the time. Cloning it is cheap.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// The system's own time.
    pub fn system() -> Self {
        Self::new(SystemTime::now)
    }

    /// A clock that shows what `now` returns.
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time now.
    pub fn now(&self) -> SystemTime {
        (self.0)()
    }
}
