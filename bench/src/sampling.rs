//! Which requests are traced.
//!
//! Apart from the client, which only writes the header: the client decides, so that of each variant the same requests are sampled.
//! Lambda's own rule (one a second and 5 % of the others) would take more of the slower one's. Invariant: whether a request is
//! sampled depends on its place in the run alone.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::sample::Phase;

/// Of so many requests outside the cold phase, one is sampled; 5 %, as by Lambda's own rule beyond the first each second,
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html>.
const ONE_OF: u64 = 20;

/// How much of a run is traced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Tracing {
    /// Nothing.
    Off,
    /// Every request of the cold phase, the first of each warm-up, and one of 20 of the others.
    #[default]
    Sampled,
    /// The same with about half of the others, by a coin each: the best measure of what tracing costs.
    Half,
    /// Every request.
    All,
}

impl Tracing {
    /// Whether request `number` (from 0) of a variant's `phase` in `round` is sampled.
    ///
    /// The first of the warm-up always is: what only a sandbox's first trace costs shall not meet a request that is measured.
    pub fn samples(self, phase: Phase, round: u32, number: u64) -> bool {
        let mixed = |number| mixed((u64::from(round) << 40) | ((phase as u64) << 32) | number);
        match (self, phase, number) {
            (Self::Off, ..) => false,
            (Self::All, ..) | (_, Phase::Cold, _) | (_, Phase::WarmUp, 0) => true,
            // At a random place of each twenty: every twentieth could keep step with a quota's periods.
            (Self::Sampled, ..) => number % ONE_OF == mixed(number / ONE_OF) % ONE_OF,
            // A coin for each: one of each two would put the others mostly behind those that are sampled.
            (Self::Half, ..) => mixed(number) % 2 == 0,
        }
    }

    /// In the words of the report.
    pub fn words(self) -> &'static str {
        match self {
            Self::Off => "nothing",
            Self::Sampled => {
                "every request of the cold phase, the first of each warm-up, and one of 20 of the others"
            }
            Self::Half => {
                "every request of the cold phase, the first of each warm-up, and about half of the others"
            }
            Self::All => "every request",
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): neighbouring numbers give unrelated ones.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_twenty_is_sampled_at_places_that_do_not_repeat() {
        let places: Vec<u64> =
            (0..1_000).filter(|&number| Tracing::Sampled.samples(Phase::Warm, 1, number)).collect();
        assert_eq!(places.len(), 50);
        let offsets: std::collections::BTreeSet<u64> = places.iter().map(|place| place % ONE_OF).collect();
        assert!(offsets.len() > 10, "{offsets:?}");
        let other_round = (0..1_000).filter(|&number| Tracing::Sampled.samples(Phase::Warm, 2, number));
        assert_ne!(places, other_round.collect::<Vec<_>>());
        assert!((0..100).all(|number| Tracing::Sampled.samples(Phase::Cold, 1, number)));
        assert!(Tracing::Sampled.samples(Phase::WarmUp, 1, 0) && !Tracing::Off.samples(Phase::WarmUp, 1, 0));
    }

    #[test]
    fn of_half_each_follows_a_sampled_one_as_often_as_not() {
        let sampled: Vec<bool> =
            (0..10_000).map(|number| Tracing::Half.samples(Phase::Warm, 1, number)).collect();
        let share = |of: bool| {
            let after: Vec<bool> =
                sampled.windows(2).filter(|pair| pair[1] == of).map(|pair| pair[0]).collect();
            after.iter().filter(|before| **before).count() as f64 / after.len() as f64
        };
        // Four standard deviations of 5,000 coins.
        assert!((share(true) - 0.5).abs() < 0.03, "{}", share(true));
        assert!((share(false) - 0.5).abs() < 0.03, "{}", share(false));
    }

    #[test]
    fn names_are_those_of_run_json_and_others_are_refused_with_the_choice() {
        for tracing in Tracing::value_variants() {
            let name = serde_json::to_value(tracing).unwrap();
            assert_eq!(Tracing::from_str(name.as_str().unwrap(), false).as_ref(), Ok(tracing));
        }
        let argument = clap::Arg::new("tracing").value_parser(clap::value_parser!(Tracing));
        let refusal = clap::Command::new("bench").arg(argument).try_get_matches_from(["bench", "on"]);
        let refusal = refusal.unwrap_err().to_string();
        assert!(refusal.contains("'on'") && refusal.contains("off, sampled, half, all"), "{refusal}");
    }
}
