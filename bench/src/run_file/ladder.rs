//! What each lever earned.
//!
//! Apart from the comparisons because a rung is told with what it is compared with and what is gained. Invariant: rungs stand in the
//! order they were taken.

use serde::{Deserialize, Serialize};

use crate::verdict::Verdict;

/// A variant that differs from another by one lever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// The variant's name.
    pub rung: String,
    /// What was changed, in a few words.
    pub lever: String,
    /// The variant it is compared with; none for the first.
    pub against: Option<String>,
    /// What it earned.
    pub metrics: Vec<Earned>,
}

/// One metric of a rung.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earned {
    /// Its name, as in the comparisons.
    pub name: String,
    /// The rung's own value: the geometric mean of its rounds, or its one number.
    pub value: Option<f64>,
    /// The value of `against` less this one.
    pub saved: Option<f64>,
    /// This rung / `against`.
    pub ratio: Option<f64>,
    /// 95 % interval of it.
    pub interval: Option<[f64; 2]>,
    /// The verdict; none for a plain ratio and for the first rung.
    pub verdict: Option<Verdict>,
    /// Why, where the interval alone does not decide.
    pub reason: Option<String>,
}
