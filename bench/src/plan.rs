//! In which order the variants take their turns.
//!
//! Apart from the driving because the order is what makes the comparison fair, so it can be read and tested alone. Invariant:
//! within a round all arms do the same phase one right after the other, and every other round runs them backwards (ABBA), so
//! that a machine that slowly gets slower or faster favours none. A control's second arm stands right beside its first.

use lambda_lab::experiment::{LoadProfile, control_name};

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

/// What takes turns: a variant, or the second measurement of one that is a control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arm {
    /// What its samples carry: the variant's name, or `<variant>-control`.
    pub name: String,
    /// The function of the lab that it drives, which has the variant's name.
    pub function: String,
}

impl Arm {
    fn is_control(&self) -> bool {
        self.name != self.function
    }
}

/// One turn of one arm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// From 1.
    pub round: u32,
    /// The arm's name.
    pub variant: String,
    /// The function it drives.
    pub function: String,
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

/// The `variants` in their order, each that is in `controls` followed by its second arm.
pub fn arms(variants: &[String], controls: &[String]) -> Vec<Arm> {
    let arm = |name: String, function: &String| Arm { name, function: function.clone() };
    let both = |name: &String| {
        let second = controls.contains(name).then(|| arm(control_name(name), name));
        std::iter::once(arm(name.clone(), name)).chain(second)
    };
    variants.iter().flat_map(both).collect()
}

/// Whether `round` (from 1) runs in the order of the file; every other one runs backwards.
pub fn is_forward(round: u32) -> bool {
    !round.is_multiple_of(2)
}

/// The arms of each round in the order of their turns: forward, backward, forward, ...
fn order(arms: &[Arm], rounds: u32) -> Vec<Vec<&Arm>> {
    let of_round = |round| match is_forward(round) {
        true => arms.iter().collect(),
        false => arms.iter().rev().collect(),
    };
    (1..=rounds).map(of_round).collect()
}

/// The arms' names of each round, in the order of their turns.
pub fn names_in_order(arms: &[Arm], rounds: u32) -> Vec<Vec<String>> {
    let names = |arms: Vec<&Arm>| arms.into_iter().map(|arm| arm.name.clone()).collect();
    order(arms, rounds).into_iter().map(names).collect()
}

/// Every step of a run, in order. Load turns only where the profile has arrivals, and for controls none: the load is most of a
/// run's time.
pub fn steps(arms: &[Arm], profile: &LoadProfile) -> Vec<Step> {
    let turns: &[Turn] = match profile.has_load() {
        false => &[Turn::Cold, Turn::Warm],
        true => &[Turn::Cold, Turn::Warm, Turn::Load],
    };
    let mut steps = Vec::new();
    for (round, arms) in (1..).zip(order(arms, profile.rounds)) {
        for turn in turns {
            let takes_it = arms.iter().filter(|arm| *turn != Turn::Load || !arm.is_control());
            steps.extend(takes_it.map(|arm| Step {
                round,
                variant: arm.name.clone(),
                function: arm.function.clone(),
                turn: *turn,
            }));
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
            control: Vec::new(),
            arrivals,
            scenarios: vec![],
        }
    }

    fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
        names.map(str::to_owned).to_vec()
    }

    fn told(steps: &[Step]) -> Vec<String> {
        steps.iter().map(|step| format!("{} {} {}", step.round, step.turn, step.variant)).collect()
    }

    #[test]
    fn every_other_round_runs_backwards() {
        let arms = arms(&names(["a", "b", "c"]), &[]);
        let expected = [["a", "b", "c"], ["c", "b", "a"], ["a", "b", "c"], ["c", "b", "a"]];
        assert_eq!(names_in_order(&arms, 4), expected);
    }

    #[test]
    fn a_control_stands_beside_its_twin_forward_and_backward_and_drives_the_same_function_without_load() {
        let arms = arms(&names(["a", "b"]), &names(["b"]));
        assert_eq!(names_in_order(&arms, 2), [["a", "b", "b-control"], ["b-control", "b", "a"]]);
        let arrivals = vec![ArrivalPhase { duration_s: 1.0, arrival_rate: 1.0, ramp_to: None }];
        let steps = steps(&arms, &profile(2, arrivals));
        let expected = [
            "1 cold a",
            "1 cold b",
            "1 cold b-control",
            "1 warm a",
            "1 warm b",
            "1 warm b-control",
            "1 load a",
            "1 load b",
            "2 cold b-control",
            "2 cold b",
            "2 cold a",
            "2 warm b-control",
            "2 warm b",
            "2 warm a",
            "2 load b",
            "2 load a",
        ];
        assert_eq!(told(&steps), expected);
        let driven =
            steps.iter().filter(|step| step.variant == "b-control").map(|step| step.function.as_str());
        assert_eq!(driven.collect::<Vec<_>>(), ["b"; 4]);
    }

    #[test]
    fn variants_are_neighbours_within_each_phase() {
        let arms = arms(&names(["a", "b"]), &[]);
        let arrivals = vec![ArrivalPhase { duration_s: 1.0, arrival_rate: 1.0, ramp_to: None }];
        let expected = [
            "1 cold a", "1 cold b", "1 warm a", "1 warm b", "1 load a", "1 load b", "2 cold b", "2 cold a",
            "2 warm b", "2 warm a", "2 load b", "2 load a",
        ];
        assert_eq!(told(&steps(&arms, &profile(2, arrivals))), expected);
    }

    #[test]
    fn a_profile_without_arrivals_has_no_load_turn() {
        assert_eq!(
            told(&steps(&arms(&names(["a"]), &[]), &profile(2, vec![]))),
            ["1 cold a", "1 warm a", "2 cold a", "2 warm a"]
        );
    }
}
