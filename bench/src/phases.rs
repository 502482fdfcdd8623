//! Drives one variant through one turn: cold, warm or load.
//!
//! Apart from the run because each turn is one small story from a declared state. Invariant: a turn begins with no variant's
//! sandbox alive, an empty cache and no open connection, and ends when every request is accounted for.

use std::time::Instant;

use http::Uri;
use lambda_lab::control::Counters;
use lambda_lab::experiment::LoadProfile;

use crate::client::{Client, Shot, TIME_LIMIT};
use crate::control::Control;
use crate::host::CpuTicks;
use crate::lab_error::LabError;
use crate::open_loop::{self, OpenLoopError};
use crate::plan::{Step, Turn};
use crate::progress::Progress;
use crate::recorder::Recorder;
use crate::sample::Phase;
use crate::sampling::Tracing;
use crate::scenario::Offered;

/// How many requests may be in flight at once before further arrivals are dropped, and counted.
pub const IN_FLIGHT_LIMIT: usize = 5000;

/// Why a turn could not be driven.
#[derive(Debug, thiserror::Error)]
pub enum PhaseError {
    /// The lab.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// The load's own machinery.
    #[error(transparent)]
    OpenLoop(#[from] OpenLoopError),
}

/// What was read around a variant's turn, beside its samples.
#[derive(Clone, Debug, PartialEq)]
pub enum Surroundings {
    /// A cold turn has none.
    Cold,
    /// What the dependencies counted before and after the measured warm requests.
    Warm {
        /// Before.
        before: Counters,
        /// After.
        after: Counters,
    },
    /// What the host's processors did during the load.
    Load {
        /// Ticks passed; none where the system does not tell.
        cpu: Option<CpuTicks>,
    },
}

/// What every turn needs.
#[derive(Debug)]
pub struct Driver<'a> {
    /// The lab's control port.
    pub control: &'a Control,
    /// Every variant's name and address.
    pub variants: &'a [(String, Uri)],
    /// How much of everything.
    pub profile: &'a LoadProfile,
    /// What the load turns send, the same for all.
    pub offered: &'a Offered,
    /// Which requests are traced.
    pub tracing: Tracing,
    /// Shows how far it is.
    pub progress: &'a Progress,
}

impl Driver<'_> {
    /// Brings the database into the state that every round begins from: its rows, without dead ones, and nothing left to write.
    ///
    /// Once a round and not once a turn, because turns of a round are compared with each other and none of them writes a row; a
    /// checkpoint between two of them would only part them further. Sandboxes go first: none may hold a transaction open.
    ///
    /// # Errors
    /// If the lab's control port fails, or a setup function.
    pub async fn begin_round(&self) -> Result<(), PhaseError> {
        self.control.begin_from_nothing().await?;
        Ok(self.control.setup().await?)
    }

    /// Drives `step`; its samples go to `recorder` as they come.
    ///
    /// # Errors
    /// If the lab's control port fails. Failing requests are results, not errors.
    pub async fn drive(&self, step: &Step, recorder: &mut Recorder) -> Result<Surroundings, PhaseError> {
        let uri = self.control.uri(&step.function)?;
        self.control.begin_from_nothing().await?;
        match step.turn {
            Turn::Cold => self.cold(step, &uri, recorder).await,
            Turn::Warm => self.warm(step, &uri, recorder).await,
            Turn::Load => self.load(step, &uri, recorder).await,
        }
    }

    /// Each from the worst state there is: no sandbox and nothing cached, so every connection the function has is made.
    async fn cold(
        &self,
        step: &Step,
        uri: &Uri,
        recorder: &mut Recorder,
    ) -> Result<Surroundings, PhaseError> {
        let start = Instant::now();
        for number in 0..self.profile.cold_starts {
            self.control.retire(&step.function).await?;
            self.control.flush_cache().await?;
            let client = Client::new(TIME_LIMIT);
            recorder.keep(client.fire(self.shot(step, Phase::Cold, uri, number.into()), start, None).await);
            self.progress.advance();
        }
        Ok(Surroundings::Cold)
    }

    async fn warm(
        &self,
        step: &Step,
        uri: &Uri,
        recorder: &mut Recorder,
    ) -> Result<Surroundings, PhaseError> {
        let client = Client::new(TIME_LIMIT);
        let start = Instant::now();
        for number in 0..self.profile.warm_up_requests {
            recorder.keep(client.fire(self.shot(step, Phase::WarmUp, uri, number.into()), start, None).await);
            self.progress.advance();
        }
        let before = self.control.counters().await?;
        let start = Instant::now();
        for number in 0..self.profile.warm_requests {
            recorder.keep(client.fire(self.shot(step, Phase::Warm, uri, number.into()), start, None).await);
            self.progress.advance();
        }
        let after = self.control.counters().await?;
        Ok(Surroundings::Warm { before, after })
    }

    async fn load(
        &self,
        step: &Step,
        uri: &Uri,
        recorder: &mut Recorder,
    ) -> Result<Surroundings, PhaseError> {
        let ticks = CpuTicks::read();
        let keep = |sample| {
            recorder.keep(sample);
            self.progress.advance();
        };
        let uri = self.offered.uri(uri);
        let shot = |number| self.shot(step, Phase::Load, &uri, number);
        let client = Client::new(self.offered.time_limit).expecting(self.offered.expect.clone());
        open_loop::drive_by(client, shot, self.offered.arrivals.clone(), IN_FLIGHT_LIMIT, keep).await?;
        let cpu = ticks.zip(CpuTicks::read()).map(|(before, after)| after.since(before));
        Ok(Surroundings::Load { cpu })
    }

    /// Request `number` (from 0) of `phase`.
    fn shot(&self, step: &Step, phase: Phase, uri: &Uri, number: u64) -> Shot {
        Shot {
            variant: step.variant.clone(),
            round: step.round,
            phase,
            uri: uri.clone(),
            sampled: self.tracing.samples(phase, step.round, number),
        }
    }
}

/// How many requests one `turn` sends under `profile`, whose schedule has so many `arrivals`.
pub fn requests(profile: &LoadProfile, arrivals: usize, turn: Turn) -> u64 {
    match turn {
        Turn::Cold => u64::from(profile.cold_starts),
        Turn::Warm => u64::from(profile.warm_up_requests) + u64::from(profile.warm_requests),
        Turn::Load => arrivals as u64,
    }
}
