//! How often the 95 % interval holds the truth, on noise that this bench recorded: `fixtures/noise.json` says where.
//!
//! The noise is one function measured against itself, so whatever ratio is put into it is the true one. Rounds are drawn from it in
//! two ways: each on its own, and as stretches of turns that followed each other, with whatever drift the machine had.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

use std::path::Path;

use bench::plan::is_forward;
use bench::statistics::paired_ratio;
use fastrand::Rng;
use serde::Deserialize;

/// The file of recorded noise.
#[derive(Deserialize)]
struct Noise {
    /// One for each run; of each turn, in the order they were taken, the warm p50 in milliseconds.
    warm_ms_p50: Vec<Vec<f64>>,
}

fn noise() -> Noise {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/noise.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The two turns of a round, in the order they were taken.
type Turns = [f64; 2];

/// Rounds that were measured apart from each other.
fn independent(noise: &Noise, rounds: usize, random: &mut Rng) -> Vec<Turns> {
    let one = |random: &mut Rng| stretch(noise, 1, random)[0];
    (0..rounds).map(|_| one(random)).collect()
}

/// Rounds of turns that followed each other.
fn stretch(noise: &Noise, rounds: usize, random: &mut Rng) -> Vec<Turns> {
    let places: usize = noise.warm_ms_p50.iter().map(|run| run.len() + 1 - 2 * rounds).sum();
    let mut place = random.usize(..places);
    for run in &noise.warm_ms_p50 {
        let of_run = run.len() + 1 - 2 * rounds;
        if place < of_run {
            return run[place..place + 2 * rounds]
                .chunks_exact(2)
                .map(|turns| [turns[0], turns[1]])
                .collect();
        }
        place -= of_run;
    }
    unreachable!("a place is within one of the runs");
}

type Draw = fn(&Noise, usize, &mut Rng) -> Vec<Turns>;

/// The share of `draws` in which the interval holds the true ratio, when rounds are taken in ABBA order.
fn coverage(noise: &Noise, draw: Draw, rounds: usize, draws: u32) -> f64 {
    let mut random = Rng::with_seed(20_261_126);
    let held = (0..draws).filter(|number| {
        let truth = [0.05, 0.9, 1.0, 1.1, 20.0][*number as usize % 5];
        let (from, to): (Vec<f64>, Vec<f64>) = (1..)
            .zip(draw(noise, rounds, &mut random))
            .map(
                |(round, [first, second])| {
                    if is_forward(round) { (first, second * truth) } else { (second, first * truth) }
                },
            )
            .unzip();
        let [low, high] = paired_ratio(&from, &to).unwrap().interval;
        low <= truth && truth <= high
    });
    held.count() as f64 / f64::from(draws)
}
