//! Chooses the invocations that stand for a run.
//!
//! Apart from the statistics because a percentile of durations is a number, while this is one real invocation that took about
//! that long. Invariant: a cold and a warm invocation are never ranked together, and a percentile that the run is too short for
//! is told, not approximated.

use serde::{Deserialize, Serialize};

use crate::traces::records::InvocationLine;

/// Whether the request waited for a new sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It did: INIT counts.
    Cold,
    /// It did not.
    Warm,
}

/// What is compared, in the order of the report.
pub const WANTED: [(Kind, u32); 4] = [(Kind::Cold, 50), (Kind::Warm, 50), (Kind::Warm, 95), (Kind::Warm, 99)];

impl std::fmt::Display for Kind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Cold => "cold",
            Self::Warm => "warm",
        })
    }
}

/// The invocations of `function` and `kind`, by what their requests waited; of equals, the earlier first.
pub fn ranked<'a>(
    invocations: impl IntoIterator<Item = &'a InvocationLine>,
    function: &str,
    kind: Kind,
) -> Vec<&'a InvocationLine> {
    let wanted = |seen: &&InvocationLine| seen.function == function && seen.cold == (kind == Kind::Cold);
    let mut ranked: Vec<_> = invocations.into_iter().filter(wanted).collect();
    ranked.sort_by_key(|seen| (seen.waited_us(), seen.started_unix_us));
    ranked
}

/// How many invocations `percentile` takes: for any but the median, one must lie beyond it.
pub fn needed(percentile: u32) -> usize {
    if percentile <= 50 {
        1
    } else {
        100_usize.div_ceil(100_usize.saturating_sub(percentile as usize).max(1))
    }
}

/// The one at `percentile` of `ranked` (nearest rank: the first that at least so many percent do not exceed); none with fewer than
/// [`needed`].
pub fn representative<T: Copy>(ranked: &[T], percentile: u32) -> Option<T> {
    let rank = (ranked.len() * percentile as usize).div_ceil(100).max(1);
    ranked.get(rank - 1).copied().filter(|_| ranked.len() >= needed(percentile))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(function: &str, cold: bool, duration_ms: f64) -> InvocationLine {
        InvocationLine {
            function: function.into(),
            request_id: format!("{duration_ms}"),
            trace_id: "t".into(),
            cold,
            started_unix_us: 0,
            init_ms: Some(100.0),
            duration_ms,
            sampled: true,
        }
    }

    #[test]
    fn cold_and_warm_never_meet_and_init_counts_only_where_it_was_waited_for() {
        let mut run: Vec<_> =
            [3.0, 1.0, 2.0].into_iter().map(|duration| invocation("a", false, duration)).collect();
        run.push(invocation("a", true, 1.5));
        run.push(invocation("b", false, 0.5));
        let warm: Vec<f64> = ranked(&run, "a", Kind::Warm).iter().map(|seen| seen.duration_ms).collect();
        assert_eq!(warm, [1.0, 2.0, 3.0]);
        let cold = ranked(&run, "a", Kind::Cold);
        assert_eq!(cold.iter().map(|seen| seen.waited_us()).collect::<Vec<_>>(), [101_500]);
    }

    #[test]
    fn the_nearest_rank_is_taken_and_too_few_are_none() {
        let numbers: Vec<u32> = (1..=100).collect();
        for (percentile, expected) in [(50, 50), (95, 95), (99, 99)] {
            assert_eq!(representative(&numbers, percentile), Some(expected));
        }
        assert_eq!(representative(&numbers[..99], 99), None);
        assert_eq!(representative(&numbers[..20], 95), Some(19));
        assert_eq!(representative(&numbers[..19], 95), None);
        assert_eq!(representative(&numbers[..3], 50), Some(2));
        assert_eq!(representative(&numbers[..1], 50), Some(1));
        assert_eq!(representative::<u32>(&[], 50), None);
    }
}
