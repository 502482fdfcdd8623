//! The report that Artillery writes with `--output`.
//!
//! Apart from the figures because it is another program's format: `aggregate` with `counters`, `summaries` and the times of its first
//! and last counter (Artillery 2, packages/artillery/lib/core/ssms.ts). Invariant: only a file with counted requests is a report.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::error::ArtilleryError;
use super::figures::{Figures, PERCENTS};

#[derive(Debug, Deserialize)]
struct Report {
    aggregate: Aggregate,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Aggregate {
    #[serde(default)]
    counters: BTreeMap<String, f64>,
    #[serde(default)]
    summaries: BTreeMap<String, BTreeMap<String, f64>>,
    first_counter_at: Option<f64>,
    last_counter_at: Option<f64>,
}

/// The figures of the report at `path`.
///
/// # Errors
/// If it cannot be read, or is no report.
pub(super) fn read(path: &Path) -> Result<Figures, ArtilleryError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ArtilleryError::File { path: path.to_owned(), source })?;
    let refused = |why: String| ArtilleryError::Report { path: path.to_owned(), why };
    let report: Report = serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
    figures(&report.aggregate).ok_or_else(|| refused("it counts no http.requests".to_owned()))
}

fn figures(aggregate: &Aggregate) -> Option<Figures> {
    let counter = |name: &str| aggregate.counters.get(name).map(|count| *count as u64);
    let requests = counter("http.requests")?;
    let mut answered = 0;
    let mut errors = BTreeMap::new();
    for (name, count) in &aggregate.counters {
        let count = *count as u64;
        if let Some(code) = name.strip_prefix("http.codes.") {
            if code.starts_with('2') {
                answered += count;
            } else {
                errors.insert(format!("http_{code}"), count);
            }
        } else if let Some(error) = name.strip_prefix("errors.") {
            errors.insert(error.to_owned(), count);
        }
    }
    let times = aggregate.summaries.get("http.response_time");
    let elapsed_s = aggregate
        .last_counter_at
        .zip(aggregate.first_counter_at)
        .map(|(last, first)| (last - first) / 1000.0);
    let marks = ["satisfied", "tolerated", "frustrated"]
        .map(|mark| counter(&format!("apdex.{mark}")).unwrap_or(0) as f64);
    let scored: f64 = marks.iter().sum();
    Some(Figures {
        requests,
        answered,
        errors,
        rate: elapsed_s.filter(|elapsed_s| *elapsed_s > 0.0).map(|elapsed_s| requests as f64 / elapsed_s),
        response_ms: PERCENTS.map(|percent| times?.get(&format!("p{percent}")).copied()),
        apdex: (scored > 0.0).then(|| (marks[0] + marks[1] / 2.0) / scored),
        send_lag_ms: [None, None],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_as_artillery_writes_it() {
        let aggregate = serde_json::json!({
            "counters": {
                "vusers.created": 40, "http.requests": 40, "http.codes.200": 36, "http.codes.503": 3, "http.responses": 39,
                "errors.ETIMEDOUT": 1, "apdex.satisfied": 30, "apdex.tolerated": 6, "apdex.frustrated": 3
            },
            "rates": { "http.request_rate": 21 },
            "firstCounterAt": 1_795_688_703_868_u64,
            "lastCounterAt": 1_795_688_705_868_u64,
            "summaries": { "http.response_time": { "min": 0, "p50": 1, "median": 1, "p90": 2, "p95": 3, "p99": 5 } }
        });
        let found = figures(&serde_json::from_value(aggregate).unwrap()).unwrap();
        assert_eq!((found.requests, found.answered, found.rate), (40, 36, Some(20.0)));
        let errors = [("ETIMEDOUT".to_owned(), 1), ("http_503".to_owned(), 3)];
        assert_eq!(found.errors, BTreeMap::from(errors));
        assert_eq!(found.response_ms, [Some(1.0), Some(2.0), Some(3.0), Some(5.0)]);
        assert_eq!(found.apdex, Some(33.0 / 39.0));
    }

    #[test]
    fn what_is_no_report_is_refused_with_the_command_that_writes_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        for text in ["{}", "[1, 2]", "{\"aggregate\": {\"counters\": {}}}", "no JSON"] {
            std::fs::write(&path, text).unwrap();
            let message = read(&path).unwrap_err().to_string();
            assert!(message.contains("x.json") && message.contains("--output FILE.json"), "{message}");
        }
    }
}
