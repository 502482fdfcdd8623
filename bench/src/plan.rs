//! In which order the variants take their turns.
//!
//! Apart from the driving because the order is what makes the comparison fair, so it can be read and tested alone. Invariant:
//! within a round all variants do the same phase one right after the other, and every other round runs them backwards (ABBA),
//! so that a machine that slowly gets slower or faster favours none.

use lambda_lab::experiment::LoadProfile;

/// What a variant does in one turn. A warm turn includes its warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Fresh sandboxes, one request each.
    Cold,
    /// Warm-up, then one request in flight.
    Warm,
    /// The profile's open-loop arrivals.
    Load,
}

/// One turn of one variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// From 1.
    pub round: u32,
    /// The variant's name.
    pub variant: String,
    /// What it does.
    pub turn: Turn,
}

impl std::fmt::Display for Turn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Cold => "cold",
            Self::Warm => "warm",
            Self::Load => "load",
        })
    }
}

/// The variants of each round in the order of their turns: forward, backward, forward, ...
pub fn order(variants: &[String], rounds: u32) -> Vec<Vec<String>> {
    (1..=rounds)
        .map(|round| match round % 2 {
            1 => variants.to_vec(),
            _ => variants.iter().rev().cloned().collect(),
        })
        .collect()
}

/// Every step of a run, in order. Load turns only where the profile has arrivals.
pub fn steps(variants: &[String], profile: &LoadProfile) -> Vec<Step> {
    let turns: &[Turn] = match profile.has_load() {
        false => &[Turn::Cold, Turn::Warm],
        true => &[Turn::Cold, Turn::Warm, Turn::Load],
    };
    let mut steps = Vec::new();
    for (round, names) in (1..).zip(order(variants, profile.rounds)) {
        for turn in turns {
            steps.extend(names.iter().map(|name| Step { round, variant: name.clone(), turn: *turn }));
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use lambda_lab::experiment::ArrivalPhase;

    use super::*;

    fn profile(rounds: u32, arrivals: Vec<ArrivalPhase>) -> LoadProfile {
        LoadProfile {
            rounds,
            cold_starts: 1,
            warm_up_requests: 1,
            warm_requests: 1,
            arrivals,
            scenarios: vec![],
        }
    }

    fn told(steps: &[Step]) -> Vec<String> {
        steps.iter().map(|step| format!("{} {} {}", step.round, step.turn, step.variant)).collect()
    }

    #[test]
    fn every_other_round_runs_backwards() {
        let names = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(order(&names, 4), [["a", "b", "c"], ["c", "b", "a"], ["a", "b", "c"], ["c", "b", "a"]]);
    }

    #[test]
    fn variants_are_neighbours_within_each_phase() {
        let names = ["a", "b"].map(str::to_owned);
        let arrivals = vec![ArrivalPhase { duration_s: 1.0, arrival_rate: 1.0, ramp_to: None }];
        let expected = [
            "1 cold a", "1 cold b", "1 warm a", "1 warm b", "1 load a", "1 load b", "2 cold b", "2 cold a",
            "2 warm b", "2 warm a", "2 load b", "2 load a",
        ];
        assert_eq!(told(&steps(&names, &profile(2, arrivals))), expected);
    }

    #[test]
    fn a_profile_without_arrivals_has_no_load_turn() {
        let names = ["a".to_owned()];
        assert_eq!(
            told(&steps(&names, &profile(2, vec![]))),
            ["1 cold a", "1 warm a", "2 cold a", "2 warm a"]
        );
    }
}
