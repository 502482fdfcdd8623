//! How far a run came.
//!
//! Apart from the run because it outlives the measuring, which may be cut off between any two requests. Invariant: a round is whole
//! when every one of its planned turns has ended with all its records.

use lambda_lab::control::Ready;

use crate::interference::Watch;
use crate::phases::Surroundings;
use crate::plan::Step;
use crate::progress::note;
use crate::result_folder::ResultFolder;
use crate::run::RunError;
use crate::run_file::Partial;

/// What is known of a measurement so far, beside the recorder's observations.
#[derive(Debug, Default)]
pub struct Course {
    /// What the lab told when it was ready.
    pub ready: Option<Ready>,
    /// Every turn that has ended, in the plan's order, and what was read around it.
    pub turns: Vec<(Step, Surroundings)>,
    /// What the rounds suffered from the host.
    pub watch: Watch,
}

impl Course {
    /// How many rounds of the plan `steps` are whole.
    pub fn whole_rounds(&self, steps: &[Step]) -> u32 {
        let unfinished = steps.get(self.turns.len()).or(steps.last());
        let all = self.turns.len() >= steps.len();
        unfinished.map_or(0, |step| if all { step.round } else { step.round - 1 })
    }

    /// What is said in `run.json` of a run that `error` ended; none where it left no whole round, which is said at once with
    /// where its `requests` samples are.
    pub fn partial(
        &self,
        steps: &[Step],
        error: &RunError,
        requests: usize,
        folder: &ResultFolder,
    ) -> Option<Partial> {
        let rounds = self.whole_rounds(steps);
        if rounds > 0 {
            return Some(Partial { reason: reason(error), rounds });
        }
        if requests > 0 {
            let samples = folder.file("samples.jsonl");
            note(&format!(
                "no round was whole, so there are no figures; {requests} requests were measured, see {}",
                samples.display()
            ));
        }
        None
    }
}

/// The error in one line.
fn reason(error: &RunError) -> String {
    match error {
        RunError::Interrupted { .. } => "interrupted".to_owned(),
        error => error.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Turn;

    #[test]
    fn a_round_is_whole_with_the_last_of_its_turns() {
        let step = |round, variant: &str, turn| Step {
            round,
            variant: variant.to_owned(),
            function: variant.to_owned(),
            turn,
        };
        let round = |round| {
            [("a", Turn::Cold), ("b", Turn::Cold), ("b", Turn::Warm), ("a", Turn::Warm)]
                .map(|(variant, turn)| step(round, variant, turn))
        };
        let steps = [round(1), round(2)].concat();
        let whole = |ended: usize| {
            let turns = steps[..ended].iter().map(|step| (step.clone(), Surroundings::Cold)).collect();
            Course { turns, ..Course::default() }.whole_rounds(&steps)
        };
        assert_eq!((0..=8).map(whole).collect::<Vec<_>>(), [0, 0, 0, 0, 1, 1, 1, 1, 2]);
        assert_eq!(Course::default().whole_rounds(&[]), 0);
    }
}
