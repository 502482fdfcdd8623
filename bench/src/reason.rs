//! Why a verdict is not plain from its interval.
//!
//! Apart from the verdicts because these words carry the numbers they rest on. Invariant: closed and fixed words, so that every report
//! says the same; in `run.json` a reason is its text.

use crate::statistics::values_needed;
use crate::table::digits;

/// Why a metric is not measurable, or why a difference is not called one.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Reason {
    /// An interval needs two rounds, and rounds of one order alone would not show what the order does.
    #[error("too few rounds to pair: {rounds}; it needs 2, one of each order")]
    TooFewRounds {
        /// How many there are.
        rounds: usize,
    },
    /// Too many rounds were void.
    #[error("generator-limited: the bench itself sent too late in {void} of {rounds} rounds")]
    GeneratorLimited {
        /// How many.
        void: usize,
        /// Out of how many.
        rounds: usize,
    },
    /// The tail rule.
    #[error("{values} values; a p{percent} needs {}", values_needed(*.percent))]
    TooFewValues {
        /// Of all rounds together, in the variant that has fewer.
        values: usize,
        /// Which quantile.
        percent: u32,
    },
    /// A round has not enough values of its own, or none.
    #[error("round {round} has {values} values; it needs {needed}")]
    RoundLacksIt {
        /// From 1.
        round: u32,
        /// How many it has.
        values: usize,
        /// How many its own value takes.
        needed: usize,
    },
    /// A ratio needs two positive values.
    #[error("round {round} has a value of 0, which has no ratio")]
    Zero {
        /// From 1.
        round: u32,
    },
    /// The interval excludes 1, but a variant differs as much from itself.
    #[error("inside the noise floor {} to {}", digits(.0[0]), digits(.0[1]))]
    NoiseFloor([f64; 2]),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_says_its_numbers() {
        let table = [
            (Reason::TooFewRounds { rounds: 1 }, "too few rounds to pair: 1; it needs 2, one of each order"),
            (
                Reason::GeneratorLimited { void: 3, rounds: 4 },
                "generator-limited: the bench itself sent too late in 3 of 4 rounds",
            ),
            (Reason::TooFewValues { values: 600, percent: 99 }, "600 values; a p99 needs 1000"),
            (Reason::RoundLacksIt { round: 3, values: 9, needed: 10 }, "round 3 has 9 values; it needs 10"),
            (Reason::Zero { round: 2 }, "round 2 has a value of 0, which has no ratio"),
            (Reason::NoiseFloor([0.97, 1.04]), "inside the noise floor 0.970 to 1.04"),
        ];
        for (reason, words) in table {
            assert_eq!(reason.to_string(), words);
        }
    }
}
