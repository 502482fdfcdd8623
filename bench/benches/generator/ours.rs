//! Our engine, as a load turn drives it.
//!
//! Apart from the independent one. Invariant: the runtime, the pacer and the client are those of `bench run`.

use std::time::Duration;

use anyhow::{Context, ensure};
use bench::client::Shot;
use bench::open_loop;
use bench::phases::IN_FLIGHT_LIMIT;
use bench::sample::{Phase, Sample};

use crate::figures::Figures;

/// What one run gave.
pub(crate) struct Run {
    /// Intended to sent.
    pub(crate) lag: Figures,
    /// Intended to done.
    pub(crate) response: Figures,
    /// Sent to done.
    pub(crate) service: Figures,
}

/// Sends `rate` requests a second to `url` for `duration`.
pub(crate) fn drive(url: &str, rate: u32, duration: Duration) -> anyhow::Result<Run> {
    let count = rate * u32::try_from(duration.as_secs())?;
    let arrivals: Vec<Duration> = (0..count).map(|k| Duration::from_secs(1) * k / rate).collect();
    let uri: http::Uri = url.parse()?;
    let shot = |_| Shot {
        variant: "sink".to_owned(),
        round: 1,
        phase: Phase::Load,
        uri: uri.clone(),
        sampled: false,
    };
    let mut samples: Vec<Sample> = Vec::with_capacity(arrivals.len());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(open_loop::drive(shot, arrivals, IN_FLIGHT_LIMIT, |sample| samples.push(sample)))?;
    let failed = samples.iter().filter(|sample| !sample.answered()).count();
    ensure!(failed == 0, "{failed} of {} requests to {url} were not answered", samples.len());
    let times = |of: fn(&Sample) -> Option<f64>| {
        let times: Option<Vec<f64>> = samples.iter().map(of).collect();
        times.map(Figures::of).context("a request was never sent")
    };
    Ok(Run {
        lag: times(Sample::send_lag_ms)?,
        response: times(Sample::response_ms)?,
        service: times(|sample| Some(sample.response_ms()? - sample.send_lag_ms()?))?,
    })
}
