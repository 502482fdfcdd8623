//! X-Ray's rules for a subsegment that is sent alone, read from its documentation and not from our writer.

use super::*;

const KEYS: [&str; 17] = [
    "name",
    "id",
    "trace_id",
    "parent_id",
    "type",
    "start_time",
    "end_time",
    "namespace",
    "error",
    "fault",
    "throttle",
    "cause",
    "http",
    "aws",
    "annotations",
    "metadata",
    "sql",
];

/// The document as a value, if X-Ray would accept it.
pub(super) fn checked(text: &str) -> Value {
    assert!(text.len() <= 60_000, "{} bytes", text.len());
    assert!(!text.contains('\n'), "a line break ends a line of the log");
    let document: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let object = document.as_object().expect("an object");
    for key in object.keys() {
        assert!(KEYS.contains(&key.as_str()), "{key} in {text}");
    }
    check_name(document["name"].as_str().expect("a name"));
    assert!(is_hex(&document["id"], 16) && is_hex(&document["parent_id"], 16), "{text}");
    let trace: Vec<_> = document["trace_id"].as_str().expect("a trace").split('-').map(Value::from).collect();
    assert!(trace.len() == 3 && trace[0] == "1" && is_hex(&trace[1], 8) && is_hex(&trace[2], 24), "{text}");
    assert_eq!(document["type"], "subsegment", "a segment is Lambda's");
    let (start, end) = (document["start_time"].as_f64().unwrap(), document["end_time"].as_f64().unwrap());
    assert!(start > 0.0 && end >= start, "{text}");
    for flag in ["error", "fault", "throttle"] {
        assert!(object.get(flag).is_none_or(|flag| flag == true), "{text}");
    }
    assert!(object.get("namespace").is_none_or(|namespace| namespace == "aws" || namespace == "remote"));
    check_annotations(document.get("annotations"));
    assert!(object.get("metadata").is_none_or(|all| all.as_object().unwrap().values().all(Value::is_object)));
    for exception in document["cause"]["exceptions"].as_array().into_iter().flatten() {
        assert!(is_hex(&exception["id"], 16) && exception["message"].is_string(), "{text}");
    }
    document
}

fn check_name(name: &str) {
    let is_allowed = |character: char| {
        character.is_alphanumeric() || character == ' ' || "_.:/%&#=+\\-@".contains(character)
    };
    assert!((1..=200).contains(&name.len()) && name.chars().all(is_allowed), "{name:?}");
}

fn check_annotations(annotations: Option<&Value>) {
    let Some(annotations) = annotations else { return };
    let annotations = annotations.as_object().expect("an object");
    assert!((1..=50).contains(&annotations.len()));
    for (key, value) in annotations {
        assert!(key.len() <= 500, "{key}");
        assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{key}");
        let is_flat = value.is_number() || value.is_boolean();
        assert!(is_flat || value.as_str().is_some_and(|text| text.len() <= 1000), "{key} = {value}");
    }
}

fn is_hex(value: &Value, length: usize) -> bool {
    value.as_str().is_some_and(|text| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}
