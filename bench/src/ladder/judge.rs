//! The judgement on a rung: paired ratio, verdict, reason.
//!
//! Apart from the rungs, which only say what is compared; the rule itself is the comparisons' own. Invariant: a round that
//! either variant lacks makes the metric not measurable.

use crate::reason::Reason;
use crate::statistics::paired_ratio;
use crate::verdict::{self, Verdict};

/// What is said of two variants' rounds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Judged {
    pub(super) ratio: Option<f64>,
    pub(super) interval: Option<[f64; 2]>,
    pub(super) verdict: Option<Verdict>,
    pub(super) reason: Option<String>,
}

/// Judges a metric of two variants by their rounds; a difference that a variant shows from itself, the noise `floor`, is none.
pub(super) fn judged(from: &[Option<f64>], to: &[Option<f64>], floor: Option<[f64; 2]>) -> Judged {
    let all = |rounds: &[Option<f64>]| rounds.iter().copied().collect::<Option<Vec<f64>>>();
    let Some(compared) = all(from).zip(all(to)).and_then(|(from, to)| paired_ratio(&from, &to)) else {
        let both = from.iter().zip(to).filter(|(from, to)| from.is_some() && to.is_some()).count();
        let rounds = from.len().max(to.len());
        let reason = match rounds - both {
            0 => Reason::TooFewRounds { rounds }.to_string(),
            lacking => format!("{lacking} of {rounds} rounds lack it"),
        };
        return Judged { verdict: Some(Verdict::NotMeasurable), reason: Some(reason), ..Judged::default() };
    };
    let (verdict, reason) = verdict::judged(compared.ratio, compared.interval, floor);
    let reason = reason.map(|reason| reason.to_string());
    Judged { ratio: Some(compared.ratio), interval: Some(compared.interval), verdict: Some(verdict), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_measurable_always_says_why() {
        let values = [Some(1.0), Some(2.0)];
        for (from, to, reason) in [
            (&[][..], &[][..], Reason::TooFewRounds { rounds: 0 }.to_string()),
            (&values[..1], &values[..1], Reason::TooFewRounds { rounds: 1 }.to_string()),
            (&values[..], &[Some(1.0), None][..], "1 of 2 rounds lack it".to_owned()),
        ] {
            let judged = judged(from, to, None);
            assert_eq!((judged.verdict, judged.reason), (Some(Verdict::NotMeasurable), Some(reason)));
        }
    }
}
