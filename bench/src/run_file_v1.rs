//! Reading run files of schema_version 1, which published results are kept in.
//!
//! Apart from the types so that those are of one version, and every key of theirs is required. What version 1 did not say is
//! filled in with what was true of every such run: dependencies on loopback, no limits enforced, no throttling or interference
//! recorded. Invariant: nothing that version 1 does say is changed.

use serde_json::{Map, Value, json};

/// The version this reads.
pub const VERSION: u64 = 1;

/// `run`, a run file of version 1, as one of `version`. What is not there to be upgraded is left to the types to miss.
pub fn upgraded(mut run: Value, version: u32) -> Value {
    run["schema_version"] = json!(version);
    if let Some(environment) = run.get_mut("environment").and_then(Value::as_object_mut) {
        add(environment, "network", json!({ "name": "loopback", "source_date": null, "round_trips_ms": {} }));
        add(environment, "limits", json!("none"));
        add(environment, "interference", json!([]));
    }
    let variants = run.get_mut("variants").and_then(Value::as_array_mut).into_iter().flatten();
    for variant in variants.filter_map(Value::as_object_mut) {
        add(variant, "throttled_ms_per_invoke", Value::Null);
    }
    run
}

fn add(object: &mut Map<String, Value>, key: &str, value: Value) {
    object.entry(key).or_insert(value);
}
