//! The judgement on a rung: paired ratio, verdict, reason.
//!
//! Apart from the rungs, which only say what is compared; the rule itself is the comparisons' own. Invariant: a round that
//! either variant lacks makes the metric not measurable.

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
        let reason = (both < rounds).then(|| format!("{} of {rounds} rounds lack it", rounds - both));
        return Judged { verdict: Some(Verdict::NotMeasurable), reason, ..Judged::default() };
    };
    let (verdict, reason) = verdict::judged(compared.ratio, compared.interval, floor);
    let reason = reason.map(|reason| reason.to_string());
    Judged { ratio: Some(compared.ratio), interval: Some(compared.interval), verdict: Some(verdict), reason }
}
