//! Reading run files of schema_version 1 and 2, which published results are kept in.
//!
//! Apart from the types so that those are of one version, and every key of theirs is required. What an older version did not say is
//! filled in with what was true of every such run: before 2, dependencies on loopback, no limits enforced, no throttling or
//! interference recorded; before 3, nothing traced. Invariant: nothing that an older version does say is changed.

use serde_json::{Map, Value, json};

/// The versions this reads.
pub const VERSIONS: [u64; 2] = [1, 2];

/// `run`, a run file of an older version, as one of `version`. What is not there to be upgraded is left to the types to miss.
pub fn upgraded(mut run: Value, version: u32) -> Value {
    run["schema_version"] = json!(version);
    if let Some(environment) = run.get_mut("environment").and_then(Value::as_object_mut) {
        add(environment, "network", json!({ "name": "loopback", "source_date": null, "round_trips_ms": {} }));
        add(environment, "limits", json!("none"));
        add(environment, "interference", json!([]));
        add(environment, "tracing", json!("off"));
    }
    let variants = run.get_mut("variants").and_then(Value::as_array_mut).into_iter().flatten();
    for variant in variants.filter_map(Value::as_object_mut) {
        add(variant, "throttled_ms_per_invoke", Value::Null);
        add(variant, "tracing_cost", Value::Null);
    }
    run
}

fn add(object: &mut Map<String, Value>, key: &str, value: Value) {
    object.entry(key).or_insert(value);
}
