//! The judgement on a rung: paired ratio, verdict, reason.
//!
//! Apart from the rungs so that comparisons and rungs can share one rule: this is the one place that asks it. Invariant: a round that
//! either variant lacks makes the metric not measurable.

use crate::statistics::paired_ratio;
use crate::table::digits;
use crate::verdict::Verdict;

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
    let verdict = Verdict::of(Some(compared.interval));
    let within = floor.filter(|[low, high]| (*low..=*high).contains(&compared.ratio));
    let (verdict, reason) = match (verdict, within) {
        (Verdict::Better | Verdict::Worse, Some([low, high])) => {
            let reason = format!("inside the noise floor {} to {}", digits(low), digits(high));
            (Verdict::NoDifferenceShown, Some(reason))
        }
        _ => (verdict, None),
    };
    Judged { ratio: Some(compared.ratio), interval: Some(compared.interval), verdict: Some(verdict), reason }
}
