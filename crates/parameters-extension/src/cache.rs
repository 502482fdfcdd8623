//! What was read, by the request that read it, until its time to live ends.
//!
//! Apart because it is pure: it is told the time and does no I/O. Invariant: it never holds more than its limit, and never gives
//! a value whose age is not known to be within its time to live, also when the clock was set back.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::upstream::Request;

/// The values, by request.
pub(crate) struct Cache {
    limit: usize,
    entries: HashMap<Request, Entry>,
}

struct Entry {
    body: Bytes,
    asked_at: SystemTime,
}

impl Cache {
    /// An empty cache for at most `limit` values; 0 keeps none.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, entries: HashMap::new() }
    }

    /// The value for `request`, if it was asked for less than `ttl` before `now`.
    pub(crate) fn get(&self, request: &Request, now: SystemTime, ttl: Duration) -> Option<Bytes> {
        let entry = self.entries.get(request)?;
        // An error here means that the clock was set back: the age is unknown.
        let age = now.duration_since(entry.asked_at).ok()?;
        (age < ttl).then(|| entry.body.clone())
    }

    /// Keeps `body`. Its age counts from when it was asked for, not from when it came, so the time to live bounds its staleness.
    /// A full cache gives up the value that was asked for the longest ago.
    pub(crate) fn insert(&mut self, request: Request, asked_at: SystemTime, body: Bytes) {
        if self.limit == 0 {
            return;
        }
        if self.entries.len() >= self.limit && !self.entries.contains_key(&request) {
            let oldest = self
                .entries
                .iter()
                .min_by_key(|(_, entry)| entry.asked_at)
                .map(|(request, _)| request.clone());
            if let Some(oldest) = oldest {
                self.entries.remove(&oldest);
            }
        }
        self.entries.insert(request, Entry { body, asked_at });
    }
}
