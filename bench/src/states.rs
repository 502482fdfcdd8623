//! From which state each part of a run begins, in words.
//!
//! Apart from the phases, which make these states, because a reader of the report must know them. Invariant: each word here is
//! something that `phases.rs` does, and it is done outside the clock.

use lambda_lab::experiment::LoadProfile;
use serde::{Deserialize, Serialize};

/// The declared states, in the words of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct States {
    /// Before every round.
    pub round: String,
    /// Before every request of a cold turn.
    pub cold: String,
    /// Before the measured requests of a warm turn.
    pub warm: String,
    /// Before a load turn; none where the profile has none.
    pub load: Option<String>,
}

impl States {
    /// What `profile` is measured from; `seeded` tells whether the experiment has setup functions.
    pub fn declared(profile: &LoadProfile, seeded: bool) -> Self {
        let seed = if seeded { "database seeded again, " } else { "" };
        let from_nothing = "no sandbox but provisioned ones, no connection, nothing cached";
        Self {
            round: format!("all sandboxes ended, {seed}tables vacuumed and analysed, checkpoint made"),
            cold: "before each request no sandbox, no connection, nothing cached".to_owned(),
            warm: format!(
                "one sandbox and what it keeps after {} requests from nothing: connections made, cache filled",
                profile.warm_up_requests
            ),
            load: (!profile.arrivals.is_empty()).then(|| from_nothing.to_owned()),
        }
    }

    /// All in one sentence.
    pub fn words(&self) -> String {
        let load = self.load.as_ref().map(|load| format!("; load: {load}")).unwrap_or_default();
        format!(
            "States, made outside the clock: each round: {}; cold: {}; warm: {}{load}.",
            self.round, self.cold, self.warm
        )
    }
}
