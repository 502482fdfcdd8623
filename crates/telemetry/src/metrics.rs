//! Metrics in CloudWatch's embedded metric format (EMF): a log line from which CloudWatch itself takes the numbers.
//!
//! Apart from the logs because EMF has limits of its own. Invariants: a blob holds at most 100 metrics and a metric at most 100
//! values (a full blob is written early), and the ColdStart metric is always a blob of its own, once a sandbox.

use jiff::Timestamp;

use crate::Unit;
use crate::invocation::{Shared, with_current};
use crate::json;

/// CloudWatch's limits: metrics in one blob, values of one metric, characters in a name.
const MAX_METRICS: usize = 100;
const MAX_VALUES: usize = 100;
const MAX_NAME: usize = 255;

/// Counts `value` under `name` for the current invocation; its metrics are written as one EMF line when it ends.
///
/// The name is fixed in the code, as CloudWatch bills by name. Outside an invocation nothing is counted, and a debug line says
/// so. A name that CloudWatch cannot take (empty, longer than 255 bytes, `service` or `_aws`), a value that is no number, and
/// a second unit for one name are dropped with a warning.
pub fn metric(name: &'static str, unit: Unit, value: f64) {
    let added = with_current(|invocation| {
        let shared = &invocation.shared;
        if shared.settings.metrics_enabled {
            invocation.metrics.add(name, unit, value, shared)
        } else {
            Ok(())
        }
    });
    // Said only now: the invocation's state is locked while it is changed, and a log line reads it.
    match added {
        Some(Ok(())) => {}
        Some(Err(reason)) => {
            tracing::warn!(metric = name, value, unit = unit.as_str(), "metric dropped: {reason}");
        }
        None => tracing::debug!(metric = name, value, "metric dropped: it was counted outside an invocation"),
    }
}

/// The metrics of one invocation that are not written yet.
#[derive(Default)]
pub(crate) struct Metrics {
    metrics: Vec<Metric>,
}

struct Metric {
    name: &'static str,
    unit: Unit,
    first: f64,
    /// Empty for most metrics, which are counted once an invocation.
    more: Vec<f64>,
}

impl Metrics {
    fn add(
        &mut self,
        name: &'static str,
        unit: Unit,
        value: f64,
        shared: &Shared,
    ) -> Result<(), &'static str> {
        if name.is_empty() || name.len() > MAX_NAME {
            return Err("its name must have 1 to 255 characters");
        }
        if name == "service" || name == "_aws" {
            return Err("its name is a key of the blob itself");
        }
        if !value.is_finite() {
            return Err("its value is not a finite number");
        }
        if let Some(metric) = self.metrics.iter_mut().find(|metric| metric.name == name) {
            if metric.unit != unit {
                return Err("it was counted in another unit before");
            }
            metric.more.push(value);
            if metric.more.len() + 1 == MAX_VALUES {
                self.flush(shared);
            }
            return Ok(());
        }
        if self.metrics.len() == MAX_METRICS {
            self.flush(shared);
        }
        self.metrics.push(Metric { name, unit, first: value, more: Vec::new() });
        Ok(())
    }

    /// Writes what is not written yet; nothing where there is nothing.
    pub(crate) fn flush(&mut self, shared: &Shared) {
        if self.metrics.is_empty() {
            return;
        }
        shared.output.write_line(&blob(shared, &self.metrics, None));
        self.metrics.clear();
    }
}

/// Writes the ColdStart metric of this sandbox.
pub(crate) fn write_cold_start(shared: &Shared, function_name: &str) {
    if !shared.settings.metrics_enabled {
        return;
    }
    let function_name = shared.settings.metrics_function_name.as_deref().unwrap_or(function_name);
    let cold_start = Metric { name: "ColdStart", unit: Unit::Count, first: 1.0, more: Vec::new() };
    shared.output.write_line(&blob(shared, &[cold_start], Some(function_name)));
}

fn blob(shared: &Shared, metrics: &[Metric], function_name: Option<&str>) -> Vec<u8> {
    let mut json = Vec::with_capacity(256 + 64 * metrics.len());
    json.extend_from_slice(b"{\"_aws\":{\"Timestamp\":");
    json::plain(&mut json, Timestamp::now().as_millisecond());
    json.extend_from_slice(b",\"CloudWatchMetrics\":[{\"Namespace\":");
    json::string(&mut json, &shared.settings.namespace);
    json.extend_from_slice(b",\"Dimensions\":[[\"service\"");
    if function_name.is_some() {
        json.extend_from_slice(b",\"function_name\"");
    }
    json.extend_from_slice(b"]],\"Metrics\":[");
    for (index, metric) in metrics.iter().enumerate() {
        json.extend_from_slice(if index == 0 { b"{" } else { b",{" });
        json::key(&mut json, "Name");
        json::string(&mut json, metric.name);
        json::key(&mut json, "Unit");
        json::string(&mut json, metric.unit.as_str());
        json.push(b'}');
    }
    json.extend_from_slice(b"]}]}");
    json::key(&mut json, "service");
    json::string(&mut json, &shared.settings.service);
    if let Some(function_name) = function_name {
        json::key(&mut json, "function_name");
        json::string(&mut json, function_name);
    }
    for metric in metrics {
        json::key(&mut json, metric.name);
        push_values(&mut json, metric);
    }
    json.extend_from_slice(b"}\n");
    json
}

/// One value stands alone, as Powertools for TypeScript writes it; several are an array.
fn push_values(json: &mut Vec<u8>, metric: &Metric) {
    if metric.more.is_empty() {
        return json::number(json, metric.first);
    }
    json.push(b'[');
    json::number(json, metric.first);
    for value in &metric.more {
        json.push(b',');
        json::number(json, *value);
    }
    json.push(b']');
}
