//! Drives one variant up one climb.
//!
//! Apart from the judging, which is pure. Each climb begins from nothing: every variant's sandboxes ended, the cache empty; each
//! step begins with what the step before left, as rising traffic would find it, but for the client's connections, which are new.
//! Invariant: a step is over when each of its requests is a sample on disk.

use std::time::{Duration, Instant};

use http::Uri;
use lambda_lab::experiment::ArrivalPhase;

use crate::client::Shot;
use crate::control::Control;
use crate::host::CpuTicks;
use crate::open_loop;
use crate::phases::{IN_FLIGHT_LIMIT, PhaseError};
use crate::recorder::Recorder;
use crate::run::RunError;
use crate::run_file::CapacityStep;
use crate::sample::{Phase, Sample};
use crate::schedule;

use super::climb::{Climb, Path};
use super::judge::{Driven, Marks, judge};
use super::knees::Climbed;
use super::settings::{Profile, Situation};
use super::summary::Tally;

/// What every climb of a situation needs.
#[derive(Debug)]
pub(super) struct Climber<'a> {
    pub(super) control: &'a Control,
    pub(super) profile: &'a Profile,
    pub(super) situation: &'a Situation,
    pub(super) path: Path,
    pub(super) marks: Marks,
}

impl Climber<'_> {
    /// Climbs with `variant`; what its requests met is added to `tally`.
    ///
    /// # Errors
    /// If the lab's control port, a thread or a file fails. Failing requests are results, not errors.
    pub(super) async fn climb(
        &self,
        variant: &str,
        round: u32,
        recorder: &mut Recorder,
        tally: &mut Tally,
    ) -> Result<Climbed, RunError> {
        self.control.begin_from_nothing().await?;
        let foot = Foot { uri: self.control.uri(variant)?, variant, round, begun: Instant::now() };
        let mut climb = Climb::new(self.path.of_round(round, self.profile.rounds));
        let mut steps: Vec<CapacityStep> = Vec::new();
        while let Some(rate) = climb.next_rate() {
            let began = foot.begun.elapsed();
            let cpu = self.step(&foot, began, rate, recorder).await?;
            recorder.settle(self.control).await?;
            let observations = recorder.take_observations();
            tally.add(&observations);
            let warm_up = self.profile.warm_up(self.situation);
            let driven = Driven { round, began, warm_up, rate, observations: &observations, cpu };
            let (step, judgement) = judge(&driven, self.marks);
            steps.push(step);
            climb.judged(judgement);
        }
        Ok(Climbed { variant: variant.to_owned(), steps, knee: climb.knee(), ending: climb.ending() })
    }

    /// Sends at `rate`; tells what the host's processors did after the warm-up.
    async fn step(
        &self,
        foot: &Foot<'_>,
        began: Duration,
        rate: f64,
        recorder: &mut Recorder,
    ) -> Result<Option<CpuTicks>, RunError> {
        let length = self.profile.step(self.situation);
        let steady = ArrivalPhase { duration_s: length.as_secs_f64(), arrival_rate: rate, ramp_to: None };
        let watched = tokio::spawn(watch(self.profile.warm_up(self.situation), length));
        let shot = |_| foot.shot();
        let keep = |sample| recorder.keep(since_the_climb_began(sample, began));
        open_loop::drive(shot, schedule::arrivals(&[steady]), IN_FLIGHT_LIMIT, keep)
            .await
            .map_err(PhaseError::from)?;
        // A task that only sleeps and reads does not panic; if it were lost, the host's part would be unknown.
        Ok(watched.await.unwrap_or(None))
    }
}

/// Where a climb stands.
#[derive(Debug)]
struct Foot<'a> {
    uri: Uri,
    variant: &'a str,
    round: u32,
    begun: Instant,
}

impl Foot<'_> {
    /// Nothing is traced: at its limit a sandbox would spend its share on that.
    fn shot(&self) -> Shot {
        Shot {
            variant: self.variant.to_owned(),
            round: self.round,
            phase: Phase::Load,
            uri: self.uri.clone(),
            sampled: false,
        }
    }
}

/// What the processors do between `from` and `to`, from now.
async fn watch(from: Duration, to: Duration) -> Option<CpuTicks> {
    tokio::time::sleep(from).await;
    let before = CpuTicks::read();
    tokio::time::sleep(to.saturating_sub(from)).await;
    before.zip(CpuTicks::read()).map(|(before, after)| after.since(before))
}

/// The sample with times from the climb's beginning instead of its step's, so that the steps of a climb can be told apart.
fn since_the_climb_began(sample: Sample, began: Duration) -> Sample {
    let began_us = u64::try_from(began.as_micros()).unwrap_or(u64::MAX);
    let later = |us: u64| us.saturating_add(began_us);
    Sample {
        intended_us: later(sample.intended_us),
        sent_us: sample.sent_us.map(later),
        done_us: sample.done_us.map(later),
        ..sample
    }
}
