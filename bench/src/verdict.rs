//! The words a comparison may end with, and the rule for each.
//!
//! Apart from the statistics so that no report invents a word. Invariant: `better` and `worse` need an interval that lies wholly
//! on one side of 1; every metric with a verdict is one where less is better.

use serde::{Deserialize, Serialize};

use crate::reason::Reason;

/// What a comparison shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The whole interval is below 1.
    #[serde(rename = "better")]
    Better,
    /// The whole interval is above 1.
    #[serde(rename = "worse")]
    Worse,
    /// The interval contains 1.
    #[serde(rename = "no difference shown")]
    NoDifferenceShown,
    /// There is no interval, or what was measured does not support one.
    #[serde(rename = "not measurable")]
    NotMeasurable,
}

impl Verdict {
    /// The verdict on the 95 % interval of a ratio to / from.
    pub fn of(interval: Option<[f64; 2]>) -> Self {
        match interval {
            Some([_, high]) if high < 1.0 => Self::Better,
            Some([low, _]) if low > 1.0 => Self::Worse,
            Some([low, high]) if low <= 1.0 && high >= 1.0 => Self::NoDifferenceShown,
            _ => Self::NotMeasurable,
        }
    }

    /// Its word, as in `run.json` and every report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::NoDifferenceShown => "no difference shown",
            Self::NotMeasurable => "not measurable",
        }
    }
}

/// The verdict on `ratio` and its 95 % `interval`: a difference that a variant shows from itself, the noise `floor`, is none.
pub fn judged(ratio: f64, interval: [f64; 2], floor: Option<[f64; 2]>) -> (Verdict, Option<Reason>) {
    let verdict = Verdict::of(Some(interval));
    let within = floor.filter(|[low, high]| *low <= ratio && ratio <= *high);
    match (verdict, within) {
        (Verdict::Better | Verdict::Worse, Some(floor)) => {
            (Verdict::NoDifferenceShown, Some(Reason::NoiseFloor(floor)))
        }
        _ => (verdict, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_inside_the_noise_floor_is_none_and_says_so() {
        let floor = Some([0.96, 1.04]);
        let inside = Some(Reason::NoiseFloor([0.96, 1.04]));
        let table = [
            (0.97, [0.95, 0.99], floor, Verdict::NoDifferenceShown, inside),
            (1.04, [1.01, 1.07], floor, Verdict::NoDifferenceShown, inside),
            (1.05, [1.01, 1.09], floor, Verdict::Worse, None),
            (0.95, [0.91, 0.99], floor, Verdict::Better, None),
            (0.97, [0.95, 0.99], None, Verdict::Better, None),
            // What the interval alone says already has no further reason.
            (1.00, [0.99, 1.01], floor, Verdict::NoDifferenceShown, None),
        ];
        for (ratio, interval, floor, verdict, reason) in table {
            assert_eq!(judged(ratio, interval, floor), (verdict, reason), "{ratio}");
        }
    }

    #[test]
    fn the_word_follows_from_where_the_interval_lies() {
        let table = [
            (Some([0.04, 0.06]), "better"),
            (Some([0.5, 0.999]), "better"),
            (Some([0.5, 1.0]), "no difference shown"),
            (Some([0.9, 1.1]), "no difference shown"),
            (Some([1.0, 1.0]), "no difference shown"),
            (Some([1.0, 1.5]), "no difference shown"),
            (Some([1.001, 1.5]), "worse"),
            (Some([f64::NAN, f64::NAN]), "not measurable"),
            (None, "not measurable"),
        ];
        for (interval, word) in table {
            let verdict = Verdict::of(interval);
            assert_eq!(verdict.word(), word, "{interval:?}");
            assert_eq!(serde_json::to_value(verdict).unwrap(), word, "{interval:?}");
        }
    }
}
