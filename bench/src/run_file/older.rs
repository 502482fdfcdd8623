//! Reading run files of schema_version 1 to 4, which published results are kept in.
//!
//! Apart from the types so that those are of one version, and every key of theirs is required. What an older version did not say is
//! filled in with what was true of every such run: before 2, dependencies on loopback, no limits enforced, no throttling or
//! interference recorded; before 3, nothing traced; before 4, no control, rungs, declared states or values by round, nothing but
//! Lambda's own requests and duration in the cost, every run whole, and its load made by the experiment file with our own limits;
//! before 5, nothing kept to draw pictures from, no sizes, no memory sizes, and traces in their own files alone.
//! Invariant: nothing that an older version does say is changed.

use serde_json::{Map, Value, json};

/// The versions this reads.
pub(super) const VERSIONS: [u64; 4] = [1, 2, 3, 4];

/// `run`, a run file of an older version, as one of `version`. What is not there to be upgraded is left to the types to miss.
pub(super) fn upgraded(mut run: Value, version: u32) -> Value {
    run["schema_version"] = json!(version);
    if let Some(run) = run.as_object_mut() {
        add(run, "control", json!([]));
        add(run, "ladder", json!([]));
        add(run, "capacity", Value::Null);
        add(run, "partial", Value::Null);
        add(run, "sizes", json!([]));
        add(run, "tuning", Value::Null);
        add(run, "traces", Value::Null);
    }
    if let Some(environment) = run.get_mut("environment").and_then(Value::as_object_mut) {
        add(environment, "network", json!({ "name": "loopback", "source_date": null, "round_trips_ms": {} }));
        add(environment, "limits", json!("none"));
        add(environment, "interference", json!([]));
        add(environment, "tracing", json!("off"));
        add(environment, "states", Value::Null);
        if let Some(prices) = environment.get_mut("prices").and_then(Value::as_object_mut) {
            add(prices, "init_billed_since", json!("2025-08-01"));
            for part in ["million_api_requests", "gb_second_provisioned", "gb_second_in_provisioned"] {
                add(prices, &format!("usd_per_{part}"), json!(0.0));
            }
        }
    }
    if let Some(profile) = run.pointer_mut("/environment/profile").and_then(Value::as_object_mut) {
        add(profile, "scenarios", json!([]));
        add(profile, "ramps", json!("continuous"));
        add(profile, "time_limit_ms", json!(30_000.0));
        add(profile, "apdex_threshold_ms", json!(100.0));
    }
    let variants = run.get_mut("variants").and_then(Value::as_array_mut).into_iter().flatten();
    for variant in variants.filter_map(Value::as_object_mut) {
        add(variant, "throttled_ms_per_invoke", Value::Null);
        add(variant, "tracing_cost", Value::Null);
        add(variant, "per_round", json!({}));
        add(variant, "outliers", Value::Null);
        add(variant, "cost", Value::Null);
        add(variant, "load_seconds", json!([]));
        let series = ["warm_ms", "response_ms", "cold_ms", "init_ms", "load_ms"];
        let none: Map<_, _> = series.map(|series| (series.to_owned(), Value::Null)).into_iter().collect();
        add(variant, "distributions", Value::Object(none));
    }
    let comparisons = run.get_mut("comparisons").and_then(Value::as_array_mut).into_iter().flatten();
    let metrics =
        comparisons.filter_map(|comparison| comparison.get_mut("metrics")?.as_array_mut()).flatten();
    for metric in metrics.filter_map(Value::as_object_mut) {
        let unsaid = metric.get("verdict").is_some_and(|verdict| verdict == "not measurable");
        add(
            metric,
            "reason",
            if unsaid { json!("a reason was not recorded before schema_version 4") } else { Value::Null },
        );
        add(metric, "void_rounds", json!([]));
        add(metric, "outlier_rounds", json!([]));
    }
    run
}

fn add(object: &mut Map<String, Value>, key: &str, value: Value) {
    object.entry(key).or_insert(value);
}
