//! The rules of what a segment holds: annotations, metadata, HTTP, SQL, AWS, service, precursors.
//!
//! Apart from the segment, which is the same without them. Invariant: a block of a wrong type is told once, and its parts are not.

use serde_json::{Map, Value};

use super::super::header::is_id;
use super::Author;
use super::place::{Place, Problems};

/// X-Ray indexes 50 annotations of a trace.
const MAX_ANNOTATIONS: usize = 50;
const MAX_KEY: usize = 500;
const MAX_VALUE: usize = 1000;

const OBJECT: &str = "expected an object";
const STRING: &str = "expected a string";
const FLAG: &str = "expected true or false";

pub(super) fn check(
    problems: &mut Problems,
    place: &Place<'_>,
    entity: &Map<String, Value>,
    is_segment: bool,
) {
    annotations(problems, place, entity);
    problems.field(place, entity, "metadata", OBJECT, Value::is_object);
    problems.field(place, entity, "aws", OBJECT, Value::is_object);
    if let Some(service) = object(problems, place, entity, "service") {
        problems.field(&place.key("service"), service, "version", STRING, Value::is_string);
    }
    http(problems, place, entity, is_segment);
    sql(problems, place, entity, is_segment);
    let are_ids = |value: &Value| {
        let ids = value.as_array();
        ids.is_some_and(|ids| ids.iter().all(|id| id.as_str().is_some_and(is_id)))
    };
    let rule = "expected an array of ids, 16 hexadecimal digits each";
    problems.field(place, entity, "precursor_ids", rule, are_ids);
}

fn object<'v>(
    problems: &mut Problems,
    place: &Place<'_>,
    entity: &'v Map<String, Value>,
    key: &str,
) -> Option<&'v Map<String, Value>> {
    problems.field(place, entity, key, OBJECT, Value::is_object)?.as_object()
}

fn annotations(problems: &mut Problems, place: &Place<'_>, entity: &Map<String, Value>) {
    let Some(annotations) = object(problems, place, entity, "annotations") else { return };
    let place = place.key("annotations");
    if annotations.len() > MAX_ANNOTATIONS {
        let rule = format!("expected at most {MAX_ANNOTATIONS}, which is what X-Ray indexes of a trace");
        problems.say(&place, &format!("has {} keys", annotations.len()), &rule);
    }
    for (key, value) in annotations {
        let place = place.key(key);
        let own = match problems.author {
            Author::Service => key.strip_prefix("aws.").unwrap_or(key),
            Author::Function => key,
        };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if own.is_empty() || own.len() > MAX_KEY || !own.bytes().all(allowed) {
            let rule = format!("expected 1 to {MAX_KEY} of A-Z, a-z, 0-9 and _ as the key");
            problems.say(&place, "is no key of an annotation", &rule);
        }
        match value {
            Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) => {
                let length = text.chars().count();
                if length > MAX_VALUE {
                    let rule = format!("expected at most {MAX_VALUE}; metadata may be longer");
                    problems.say(&place, &format!("has {length} characters"), &rule);
                }
            }
            other => problems.wrong(&place, other, "expected a string, a number, true or false"),
        }
    }
}

fn http(problems: &mut Problems, place: &Place<'_>, entity: &Map<String, Value>, is_segment: bool) {
    let Some(http) = object(problems, place, entity, "http") else { return };
    let place = place.key("http");
    if let Some(request) = object(problems, &place, http, "request") {
        let place = place.key("request");
        for key in ["method", "url", "user_agent", "client_ip"] {
            problems.field(&place, request, key, STRING, Value::is_string);
        }
        problems.field(&place, request, "x_forwarded_for", FLAG, Value::is_boolean);
        let is_traced = |value: &Value| !is_segment && value.is_boolean();
        problems.field(
            &place,
            request,
            "traced",
            "expected true or false, and only in a subsegment",
            is_traced,
        );
    }
    if let Some(response) = object(problems, &place, http, "response") {
        let place = place.key("response");
        let is_status = |value: &Value| value.as_u64().is_some_and(|status| (100..600).contains(&status));
        problems.field(&place, response, "status", "expected an HTTP status from 100 to 599", is_status);
        problems.field(&place, response, "content_length", "expected a whole number of bytes", Value::is_u64);
    }
}

fn sql(problems: &mut Problems, place: &Place<'_>, entity: &Map<String, Value>, is_segment: bool) {
    let rule = "expected an object, and only in a subsegment";
    let is_sql = |value: &Value| !is_segment && value.is_object();
    let sql = problems.field(place, entity, "sql", rule, is_sql).and_then(Value::as_object);
    let Some(sql) = sql else { return };
    let place = place.key("sql");
    for key in [
        "connection_string",
        "url",
        "sanitized_query",
        "database_type",
        "database_version",
        "driver_version",
        "user",
        "preparation",
    ] {
        problems.field(&place, sql, key, STRING, Value::is_string);
    }
}
