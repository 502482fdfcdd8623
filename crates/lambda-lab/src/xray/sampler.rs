//! The service's sampling rule: one request a second, and five of a hundred others.
//!
//! Apart from the tracing that asks it, so that it can be asked with any time. AWS: "The sampling rate is 1 request per second and 5
//! percent of additional requests", <https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html>. Invariant: of the requests of
//! one second at least the first is sampled.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Sampling;

/// The share of requests beyond the first of a second.
const RATE: f64 = 0.05;

/// Decides about the requests that nobody has decided about, for one function.
#[derive(Debug)]
pub(super) struct Sampler {
    sampling: Sampling,
    /// The last second that had its request.
    second: Mutex<Option<u64>>,
}

impl Sampler {
    pub(super) fn new(sampling: Sampling) -> Self {
        Self { sampling, second: Mutex::new(None) }
    }

    /// Whether to sample a request that came just now.
    pub(super) fn decide(&self) -> bool {
        match self.sampling {
            Sampling::All => true,
            Sampling::None => false,
            Sampling::Service => {
                let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
                self.decide_at(now_s, fastrand::f64)
            }
        }
    }

    fn decide_at(&self, now_s: u64, chance: impl FnOnce() -> f64) -> bool {
        let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
        second.replace(now_s) != Some(now_s) || chance() < RATE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_each_second_is_sampled_and_five_of_a_hundred_others() {
        let sampler = Sampler::new(Sampling::Service);
        let mut random = fastrand::Rng::with_seed(7);
        let (seconds, a_second) = (50, 400);
        let mut firsts = 0;
        let mut others = 0;
        for second in 0..seconds {
            for number in 0..a_second {
                let sampled = u32::from(sampler.decide_at(second, || random.f64()));
                if number == 0 { firsts += sampled } else { others += sampled }
            }
        }
        assert_eq!(firsts, 50, "one a second");
        // Of 19,950 others 997.5 are expected, with a standard deviation of 30.8.
        assert!((874..=1121).contains(&others), "5 % within four deviations: {others}");
    }

    #[test]
    fn a_clock_that_goes_back_is_another_second() {
        let sampler = Sampler::new(Sampling::Service);
        let never = || 1.0;
        let decided = [9, 9, 8, 8].map(|second| sampler.decide_at(second, never));
        assert_eq!(decided, [true, false, true, false]);
    }

    #[test]
    fn all_and_none_are_what_they_say() {
        assert!((0..100).all(|_| Sampler::new(Sampling::All).decide()));
        assert!(!(0..100).any(|_| Sampler::new(Sampling::None).decide()));
    }
}
