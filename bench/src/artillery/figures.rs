//! The figures that both the built-in engine and Artillery have.
//!
//! Apart from either because they come from samples, from a run file or from Artillery's report. Invariant: what a source does not
//! tell, or has too few values for, is none.

use std::collections::BTreeMap;

use crate::load;
use crate::metrics::{accounting, errors_by_name};
use crate::observation::Observation;
use crate::run_file::Variant;
use crate::scenario::Offered;
use crate::statistics::{published_quantile, sorted};

/// What one engine saw of one variant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Requests sent, or dropped.
    pub requests: u64,
    /// Answered as they should be.
    pub answered: u64,
    /// The others by name.
    pub errors: BTreeMap<String, u64>,
    /// Requests a second.
    pub rate: Option<f64>,
    /// Percentiles of the response time, in milliseconds: 50, 90, 95, 99.
    pub response_ms: [Option<f64>; 4],
    /// From 0 to 1.
    pub apdex: Option<f64>,
    /// How late it sent, in milliseconds: 50, 99. Artillery does not tell.
    pub send_lag_ms: [Option<f64>; 2],
}

/// The percentiles of [`Figures::response_ms`].
pub(super) const PERCENTS: [u32; 4] = [50, 90, 95, 99];

impl Figures {
    /// Of `observations`, all of one variant's load turn: with times from the intended moment, and from the sending.
    pub fn of_load(observations: &[&Observation], offered: &Offered) -> [Self; 2] {
        let counted = accounting(observations.iter().copied());
        let mut errors = errors_by_name(observations);
        if counted.dropped > 0 {
            errors.insert("dropped".to_owned(), counted.dropped);
        }
        let lags = sorted(observations.iter().filter_map(|observation| load::send_lag_ms(observation)));
        let percentiles = |since_sent: bool| {
            let values = observations.iter().filter_map(|observation| {
                let lag_ms = if since_sent { observation.sample.send_lag_ms()? } else { 0.0 };
                Some(load::load_response_ms(observation)? - lag_ms)
            });
            let values = sorted(values);
            PERCENTS.map(|percent| published_quantile(&values, percent))
        };
        let intended = Self {
            requests: counted.sent,
            answered: counted.answered,
            errors,
            rate: Some(counted.sent as f64 / offered.span.as_secs_f64()),
            response_ms: percentiles(false),
            apdex: load::apdex_at(observations, offered.apdex_threshold_ms),
            send_lag_ms: [50, 99].map(|percent| published_quantile(&lags, percent)),
        };
        let sent = Self { response_ms: percentiles(true), apdex: None, ..intended.clone() };
        [intended, sent]
    }

    /// Of the load block of `variant` in a run file; none where it had no load.
    pub fn of_variant(variant: &Variant) -> Option<Self> {
        let load = variant.load.as_ref()?;
        let mut errors = load.errors.clone();
        let failed: u64 = errors.values().sum();
        if load.dropped > 0 {
            errors.insert("dropped".to_owned(), load.dropped);
        }
        let response = &load.response_ms;
        Some(Self {
            requests: load.requests,
            answered: load.requests - failed - load.dropped,
            errors,
            rate: Some(load.offered_rate),
            response_ms: [response.p50, response.p90, None, response.p99],
            apdex: variant.apdex,
            send_lag_ms: [load.send_lag_ms.p50, load.send_lag_ms.p99],
        })
    }
}
