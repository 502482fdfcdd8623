//! How often the 95 % interval holds the truth, on noise that this bench recorded: `fixtures/noise.json` says where.
//!
//! The noise is one function measured against itself, so whatever ratio is put into it is the true one. Rounds are drawn from it in
//! three ways: each by itself; with the record's drift as it followed, but each turn's own deviation from it drawn by itself; and as
//! stretches of turns exactly as they followed each other. Of the last there are few that do not overlap.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

use std::path::Path;

use bench::plan::is_forward;
use bench::statistics::{paired_ratio, quantile, sorted};
use fastrand::Rng;
use serde::Deserialize;

/// How many draws make a share: enough that the seed does not decide, its standard error is 0.1 percentage points.
const DRAWS: u32 = 40_000;
/// Turns whose median is the drift at the middle one.
const DRIFT_TURNS: usize = 9;

/// The file of recorded noise.
#[derive(Deserialize)]
struct Recorded {
    /// One for each run; of each turn, in the order they were taken, the warm p50 in milliseconds.
    warm_ms_p50: Vec<Vec<f64>>,
}

/// The turns of each run, as logarithms.
struct Noise {
    turns: Vec<Vec<f64>>,
    /// What of each turn is drift: the running median.
    drift: Vec<Vec<f64>>,
    /// What of each turn is its own.
    own: Vec<f64>,
}

fn noise() -> Noise {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/noise.json");
    let recorded: Recorded = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let logs = |run: &Vec<f64>| run.iter().map(|milliseconds| milliseconds.ln()).collect::<Vec<_>>();
    let turns: Vec<Vec<f64>> = recorded.warm_ms_p50.iter().map(logs).collect();
    let drift: Vec<Vec<f64>> = turns.iter().map(|run| running_median(run)).collect();
    let own = turns.iter().flatten().zip(drift.iter().flatten()).map(|(turn, drift)| turn - drift).collect();
    Noise { turns, drift, own }
}

fn running_median(run: &[f64]) -> Vec<f64> {
    let around = |place: usize| {
        let from = place.saturating_sub(DRIFT_TURNS / 2).min(run.len() - DRIFT_TURNS);
        quantile(&sorted(run[from..from + DRIFT_TURNS].iter().copied()), 50).unwrap()
    };
    (0..run.len()).map(around).collect()
}

/// So many turns that follow each other in one of `runs`.
fn stretch(runs: &[Vec<f64>], turns: usize, random: &mut Rng) -> Vec<f64> {
    let stretches: Vec<&[f64]> = runs.iter().flat_map(|run| run.windows(turns)).collect();
    stretches[random.usize(..stretches.len())].to_vec()
}

/// How the logarithms of so many turns are drawn.
type Draw = fn(&Noise, usize, &mut Rng) -> Vec<f64>;

fn independent(noise: &Noise, turns: usize, random: &mut Rng) -> Vec<f64> {
    (0..turns / 2).flat_map(|_| stretch(&noise.turns, 2, random)).collect()
}

fn drifting(noise: &Noise, turns: usize, random: &mut Rng) -> Vec<f64> {
    let drift = stretch(&noise.drift, turns, random);
    drift.iter().map(|drift| drift + noise.own[random.usize(..noise.own.len())]).collect()
}

fn as_recorded(noise: &Noise, turns: usize, random: &mut Rng) -> Vec<f64> {
    stretch(&noise.turns, turns, random)
}

/// The share of draws in which the interval holds the true ratio, where `is_forward` says which of a round's turns was whose.
fn coverage(draw: Draw, rounds: usize, is_forward: fn(u32) -> bool) -> f64 {
    let noise = noise();
    let mut random = Rng::with_seed(20_261_126);
    let mut held = 0;
    for number in 0..DRAWS {
        let truth = [0.05, 0.9, 1.0, 1.1, 20.0][number as usize % 5];
        let turns: Vec<f64> = draw(&noise, 2 * rounds, &mut random).into_iter().map(f64::exp).collect();
        let whose = (1..).zip(turns.chunks_exact(2)).map(|(round, turns)| match is_forward(round) {
            true => (turns[0], turns[1] * truth),
            false => (turns[1], turns[0] * truth),
        });
        let (from, to): (Vec<f64>, Vec<f64>) = whose.unzip();
        let [low, high] = paired_ratio(&from, &to).unwrap().interval;
        held += u32::from(low <= truth && truth <= high);
    }
    f64::from(held) / f64::from(DRAWS)
}

/// From 93 to 97 of 100, to the whole percent: what a record of 240 turns says is no finer. It lies above 95 because the noise has
/// long tails, which an interval by Student's t of few rounds answers with width: three of the turns jumped by a fifth to a half,
/// see `experiments/aa.toml`. With 4 rounds an interval of the mean of each two rounds, or with each order's mean taken
/// out, is a point nearer to 95, but reaches 13.5 % and 5.3 % to either side at the median, where this one reaches 4.1 %; with 6 and 10
/// rounds it is no nearer.
#[test]
fn the_interval_holds_the_truth_as_often_as_it_says() {
    let ways: [(&str, Draw); 2] = [("each round by itself", independent), ("with the drift", drifting)];
    for (way, draw) in ways {
        for rounds in [4, 6, 10] {
            let share = coverage(draw, rounds, is_forward);
            println!("{way}, {rounds} rounds: {:.1} %", share * 100.0);
            assert!((0.925..0.975).contains(&share), "{way}, {rounds} rounds: {share}");
        }
    }
}

/// The record has 30, 20 and 12 stretches that do not overlap: a share of theirs is known to 4, 5 and 6 percentage points. So this only
/// rules out what an interval that took no heed of the drift would do.
#[test]
fn nor_is_it_too_narrow_for_turns_exactly_as_they_followed_each_other() {
    for rounds in [4, 6, 10] {
        let share = coverage(as_recorded, rounds, is_forward);
        println!("as recorded, {rounds} rounds: {:.1} %", share * 100.0);
        assert!(share >= 0.925, "{rounds} rounds: {share}");
    }
}
