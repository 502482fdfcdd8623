//! The finished answer in the sandbox's own memory, for as long as Redis would keep it.
//!
//! Apart from the cache because nothing is shared here: each sandbox has its own. An answer that comes from Redis may be nearly ten
//! seconds old when it is kept, so what is served is at most two TTLs behind the database: 20 s. Invariant: age is the wall
//! clock's, which goes on while the sandbox is frozen; a clock that was set back makes an answer stale, never young for ever.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::value::RawValue;

/// The answer kept last.
#[derive(Debug)]
pub struct Memory {
    ttl: Duration,
    kept: Mutex<Option<(SystemTime, Box<RawValue>)>>,
}

impl Memory {
    /// Nothing yet; what comes is served for `ttl`.
    pub fn new(ttl: Duration) -> Self {
        Self { ttl, kept: Mutex::default() }
    }

    /// The answer, while it is fresh.
    pub fn fresh(&self) -> Option<Box<RawValue>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(since, _)| is_fresh(*since, self.ttl)).map(|(_, answer)| answer.clone())
    }

    /// Serves `answer` from now on, as of `since`.
    pub fn keep(&self, since: SystemTime, answer: &RawValue) {
        let entry = Some((since, answer.to_owned()));
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = entry;
    }
}

/// Whether `since` is less than `ttl` ago, and not in the future.
pub fn is_fresh(since: SystemTime, ttl: Duration) -> bool {
    since.elapsed().is_ok_and(|age| age < ttl)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(10);

    fn kept(since: SystemTime) -> Option<String> {
        let memory = Memory::new(TTL);
        assert!(memory.fresh().is_none());
        memory.keep(since, &RawValue::from_string("{\"statusCode\":200}".to_owned()).unwrap());
        memory.fresh().map(|answer| answer.get().to_owned())
    }

    #[test]
    fn an_answer_is_served_while_it_is_fresh_by_the_wall_clock() {
        let now = SystemTime::now();
        assert_eq!(kept(now).as_deref(), Some("{\"statusCode\":200}"));
        assert_eq!(kept(now - TTL), None, "as old as its TTL");
        assert_eq!(kept(now + 6 * TTL), None, "kept in the future: the clock was set back");
    }
}
