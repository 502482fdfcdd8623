//! What a step of a climb showed, and whether its rate was carried.
//!
//! Apart from the driving because it is arithmetic over rows. Invariant: a step that the host or the bench limited fails by that,
//! whatever else went wrong: the function was not what gave way.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::host::{CpuTicks, idle_share};
use crate::load;
use crate::metrics::{accounting, errors_by_name, values};
use crate::observation::Observation;
use crate::run_file::CapacityStep;
use crate::sample::DROPPED;
use crate::statistics::{published_quantile, sorted};

use super::climb::{Judgement, Limit};

/// When a step fails.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    /// The greatest share of failed and dropped requests that passes.
    pub(super) error_share: f64,
    /// The least apdex that passes.
    pub(super) apdex: f64,
}

/// A step as it was driven. The times of its samples are from the climb's beginning.
#[derive(Clone, Copy, Debug)]
pub(super) struct Driven<'a> {
    pub(super) round: u32,
    /// When it began, from the climb's beginning.
    pub(super) began: Duration,
    /// How much of its beginning is not judged.
    pub(super) warm_up: Duration,
    /// Arrivals a second.
    pub(super) rate: f64,
    /// Every request of it.
    pub(super) observations: &'a [Observation],
    /// What the host's processors did after the warm-up.
    pub(super) cpu: Option<CpuTicks>,
}

/// The figures of `driven`, and whether it passes `marks`.
pub(super) fn judge(driven: &Driven<'_>, marks: Marks) -> (CapacityStep, Judgement) {
    let judged_from_us = microseconds(driven.began + driven.warm_up);
    let judged: Vec<&Observation> =
        driven.observations.iter().filter(|seen| seen.sample.intended_us >= judged_from_us).collect();
    let counted = accounting(judged.iter().copied());
    let idle_share = idle_share(&[driven.cpu]);
    let mut step = CapacityStep {
        round: driven.round,
        began_us: microseconds(driven.began),
        rate: driven.rate,
        warm_up_requests: (driven.observations.len() - judged.len()) as u64,
        requests: counted.sent,
        errors: errors(&judged, counted.dropped),
        apdex: load::apdex(&judged).unwrap_or(0.0),
        response_ms_p50: published_quantile(&sorted(values(&judged, load::load_response_ms)), 50),
        sandboxes: load::peak_sandboxes(&judged),
        idle_share,
        host_limited: idle_share.map(load::host_limited),
        generator_limited: load::is_late(&judged),
        failed_by: None,
    };
    let judgement = judgement(&step, counted.failed + counted.dropped, marks);
    if let Judgement::Failed(limit) = judgement {
        step.failed_by = Some(limit.word().to_owned());
    }
    (step, judgement)
}

fn judgement(step: &CapacityStep, bad: u64, marks: Marks) -> Judgement {
    let failures = [
        (step.host_limited == Some(true), Limit::Host),
        (step.generator_limited, Limit::Generator),
        (bad as f64 > marks.error_share * step.requests as f64, Limit::Errors),
        // Also where no request was judged at all: such a rate was not shown to be carried.
        (step.apdex < marks.apdex, Limit::Apdex),
    ];
    failures
        .into_iter()
        .find(|(failed, _)| *failed)
        .map_or(Judgement::Passed, |(_, limit)| Judgement::Failed(limit))
}

fn errors(judged: &[&Observation], dropped: u64) -> BTreeMap<String, u64> {
    let mut errors = errors_by_name(judged);
    if dropped > 0 {
        errors.insert(DROPPED.to_owned(), dropped);
    }
    errors
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Phase, Sample};

    const MARKS: Marks = Marks { error_share: 0.01, apdex: 0.85 };
    const IDLE: Option<CpuTicks> = Some(CpuTicks { idle: 50, total: 100 });

    /// A request every 10 ms from the step's beginning at 1 s, each answered after `response_ms`.
    fn requests(count: u64, response_ms: u64) -> Vec<Observation> {
        let sample = |number: u64| Sample {
            variant: "a".into(),
            round: 1,
            phase: Phase::Load,
            intended_us: 1_000_000 + number * 10_000,
            sent_us: Some(1_000_000 + number * 10_000 + 100),
            done_us: Some(1_000_000 + number * 10_000 + response_ms * 1_000),
            status: Some(200),
            cold: Some(false),
            sampled: false,
            trace_id: format!("1-00000000-{number:024x}"),
            error: None,
        };
        (0..count).map(|number| Observation { sample: sample(number), invocation: None }).collect()
    }

    fn judged(observations: &[Observation], cpu: Option<CpuTicks>) -> (CapacityStep, Judgement) {
        let (began, warm_up) = (Duration::from_secs(1), Duration::from_secs(1));
        judge(&Driven { round: 1, began, warm_up, rate: 100.0, observations, cpu }, MARKS)
    }

    fn with_errors(
        mut observations: Vec<Observation>,
        numbers: std::ops::Range<usize>,
        name: &str,
    ) -> Vec<Observation> {
        for seen in &mut observations[numbers] {
            seen.sample.error = Some(name.to_owned());
        }
        observations
    }

    #[test]
    fn what_happens_in_the_warm_up_is_counted_and_not_judged() {
        let (step, judgement) = judged(&with_errors(requests(300, 8), 0..100, "http_503"), IDLE);
        assert_eq!((step.warm_up_requests, step.requests), (100, 200));
        assert!(step.errors.is_empty());
        assert_eq!((step.apdex, step.response_ms_p50, judgement), (1.0, Some(8.0), Judgement::Passed));
        assert_eq!((step.began_us, step.failed_by), (1_000_000, None));
    }

    #[test]
    fn one_error_in_a_hundred_passes_and_two_do_not() {
        let two_of_two_hundred = with_errors(requests(300, 8), 100..102, "http_503");
        assert_eq!(judged(&two_of_two_hundred, IDLE).1, Judgement::Passed);
        let (step, judgement) = judged(&with_errors(two_of_two_hundred, 102..103, DROPPED), IDLE);
        assert_eq!(judgement, Judgement::Failed(Limit::Errors));
        let expected = [("dropped".to_owned(), 1), ("http_503".to_owned(), 2)];
        assert_eq!(step.errors, BTreeMap::from(expected));
        assert_eq!(step.failed_by.as_deref(), Some("errors"));
    }

    #[test]
    fn slow_answers_fail_by_apdex() {
        // Half as good each: an apdex of 0.5.
        let (step, judgement) = judged(&requests(300, 150), IDLE);
        assert_eq!((step.apdex, judgement), (0.5, Judgement::Failed(Limit::Apdex)));
    }

    #[test]
    fn host_and_bench_come_before_everything_else() {
        let failing = with_errors(requests(300, 150), 100..300, "http_503");
        let busy = Some(CpuTicks { idle: 9, total: 100 });
        let (step, judgement) = judged(&failing, busy);
        assert_eq!((step.host_limited, judgement), (Some(true), Judgement::Failed(Limit::Host)));
        let mut late = requests(300, 8);
        for seen in &mut late {
            seen.sample.sent_us = Some(seen.sample.intended_us + 4_000);
        }
        assert_eq!(judged(&late, IDLE).1, Judgement::Failed(Limit::Generator));
        let (step, judgement) = judged(&requests(300, 8), None);
        assert_eq!((step.host_limited, judgement), (None, Judgement::Passed), "not known is no reason");
    }

    #[test]
    fn a_step_without_judged_requests_does_not_pass() {
        assert_eq!(judged(&requests(50, 8), IDLE).1, Judgement::Failed(Limit::Apdex));
    }
}
