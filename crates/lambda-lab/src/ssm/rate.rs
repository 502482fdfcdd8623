//! A token bucket: so many requests a second on average, and at most as many at once.
//!
//! Apart because it is pure: it is told the time. How large a burst Parameter Store allows is not published; one second's worth is
//! assumed. Invariant: it never holds more than one second's worth of tokens.

use std::num::NonZeroU32;
use std::time::Instant;

/// The tokens left at some time.
#[derive(Debug)]
pub(super) struct TokenBucket {
    rate_per_s: f64,
    tokens: f64,
    at: Instant,
}

impl TokenBucket {
    /// A full bucket.
    pub(super) fn full(rate: NonZeroU32, now: Instant) -> Self {
        let rate_per_s = f64::from(rate.get());
        Self { rate_per_s, tokens: rate_per_s, at: now }
    }

    /// Takes a token, if there is one at `now`.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let passed_s = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed_s * self.rate_per_s).min(self.rate_per_s);
        self.at = now;
        let taken = self.tokens >= 1.0;
        if taken {
            self.tokens -= 1.0;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn taken(bucket: &mut TokenBucket, now: Instant, asked: usize) -> usize {
        (0..asked).filter(|_| bucket.take(now)).count()
    }

    #[test]
    fn forty_at_once_then_one_each_twenty_five_milliseconds() {
        let start = Instant::now();
        let mut bucket = TokenBucket::full(super::super::DEFAULT_RATE, start);
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        assert_eq!(taken(&mut bucket, start, 100), 40);
        assert_eq!(taken(&mut bucket, at(24), 1), 0);
        assert_eq!(taken(&mut bucket, at(26), 2), 1);
        assert_eq!(taken(&mut bucket, at(520), 100), 19);
        assert_eq!(taken(&mut bucket, at(60_000), 100), 40, "no more than a second's worth is saved up");
        assert_eq!(taken(&mut bucket, start, 1), 0, "a clock that goes back gives nothing");
    }
}
