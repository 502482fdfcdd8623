//! What each lever earned.
//!
//! Apart from the comparisons because a rung is told with what it is compared with and what is gained. Invariant: rungs stand in the
//! order they were taken, and the variants they are compared with stand among them.

use serde::{Deserialize, Serialize};

use crate::verdict::Verdict;

/// A variant that differs from another by one lever, or one that such a variant is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// The variant's name.
    pub rung: String,
    /// What was changed, in a few words; none for the ladder's foot.
    pub lever: Option<String>,
    /// The variant it is compared with; none for the foot.
    pub against: Option<String>,
    /// Whether it stands beside the way from foot to top: then it has no share of that way.
    pub beside: bool,
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
    /// The value of `against` less this one; none where the two cannot be compared.
    pub saved: Option<f64>,
    /// This rung / `against`.
    pub ratio: Option<f64>,
    /// 95 % interval of it.
    pub interval: Option<[f64; 2]>,
    /// The verdict; none for a plain ratio and for the foot.
    pub verdict: Option<Verdict>,
    /// Why, where the interval alone does not decide.
    pub reason: Option<String>,
}
