//! Test support: rows of a run, made by hand.

#![allow(dead_code, reason = "each test that includes this uses its own part of it")]

use std::collections::HashMap;
use std::path::Path;

use bench::observation::{Observation, join};
use bench::sample::{Phase, Sample};
use lambda_lab::experiment::{Experiment, Function};
use lambda_lab::records::{Invocation, Status};

/// A request that was answered after `response_ms`, sent 0.5 ms late.
pub(crate) fn sample(variant: &str, round: u32, phase: Phase, response_ms: f64) -> Sample {
    Sample {
        variant: variant.into(),
        round,
        phase,
        intended_us: 1_000_000,
        sent_us: Some(1_000_500),
        done_us: Some(1_000_000 + (response_ms * 1000.0) as u64),
        status: Some(200),
        cold: None,
        sampled: false,
        trace_id: format!("1-00000000-{:024x}", fastrand::u128(..) >> 32),
        error: None,
    }
}

pub(crate) fn failed(mut sample: Sample, error: &str) -> Sample {
    sample.error = Some(error.into());
    sample
}

pub(crate) fn dropped(mut sample: Sample) -> Sample {
    (sample.sent_us, sample.done_us, sample.status) = (None, None, None);
    failed(sample, "dropped")
}

/// Its invocation of `duration_ms`: half of it on the processor, billed as a whole.
pub(crate) fn invocation(sample: &Sample, duration_ms: f64) -> Invocation {
    Invocation {
        function: sample.variant.clone(),
        request_id: "r".into(),
        trace_id: sample.trace_id.clone(),
        sampled: false,
        sandbox: "s".into(),
        cold: false,
        started_unix_us: 1_700_000_000_000_000,
        init_ms: None,
        duration_ms,
        response_ms: duration_ms,
        billed_ms: duration_ms.ceil() as u64,
        memory_mb: 512,
        provisioned_concurrency: 0,
        provisioned: false,
        max_memory_mb: Some(20.0),
        cpu_ms: Some(duration_ms / 2.0),
        init_cpu_ms: None,
        throttled_ms: None,
        status: Status::Success,
        error_type: None,
    }
}

pub(crate) fn cold(sample: &Sample, init_ms: f64, duration_ms: f64) -> Invocation {
    let init = Some(init_ms);
    Invocation {
        cold: true,
        init_ms: init,
        init_cpu_ms: Some(init_ms / 10.0),
        ..invocation(sample, duration_ms)
    }
}

/// Rows under way to being joined.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) samples: Vec<Sample>,
    pub(crate) invocations: HashMap<String, Invocation>,
}

impl Rows {
    pub(crate) fn add(&mut self, sample: Sample, invocation: Option<Invocation>) {
        self.invocations.extend(invocation.map(|invocation| (sample.trace_id.clone(), invocation)));
        self.samples.push(sample);
    }

    pub(crate) fn warm(&mut self, variant: &str, round: u32, duration_ms: f64) {
        let sample = sample(variant, round, Phase::Warm, duration_ms + 1.0);
        let invocation = invocation(&sample, duration_ms);
        self.add(sample, Some(invocation));
    }

    pub(crate) fn cold(&mut self, variant: &str, round: u32, init_ms: f64) {
        let sample = sample(variant, round, Phase::Cold, init_ms + 10.0);
        let invocation = cold(&sample, init_ms, 9.0);
        self.add(sample, Some(invocation));
    }

    pub(crate) fn joined(mut self) -> Vec<Observation> {
        let observations = join(self.samples, &mut self.invocations);
        assert!(self.invocations.is_empty());
        observations
    }
}

pub(crate) fn function(name: &str) -> Function {
    let text = format!(
        "[experiment]\nname = \"x\"\ndescription = \"x\"\n[[variant]]\nname = \"{name}\"\npackage = \"x\"\nmemory_mb = 512\ntimeout_s = 3\n"
    );
    Experiment::parse(&text, Path::new("x.toml")).unwrap().variants.remove(0)
}

/// Whether a known number is the expected one, but for rounding.
pub(crate) fn close(left: Option<f64>, right: f64) {
    let left = left.unwrap();
    assert!((left - right).abs() < 1e-9 * right.abs().max(1.0), "{left} is not {right}");
}
