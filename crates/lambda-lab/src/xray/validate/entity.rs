//! The rules of a segment and a subsegment.
//!
//! Apart from the blocks they hold. A nested subsegment needs no type, trace and parent; where it has them (X-Ray's SDK for Python
//! writes them) they must agree with where it stands. Invariant: what a nested subsegment breaks is told at its own place.

use serde_json::{Map, Value};

use super::super::header::{is_id, is_root};
use super::place::{Place, Problems};
use super::{blocks, cause};

/// What a document or a part of it is.
#[derive(Clone, Copy)]
pub(super) enum Kind<'a> {
    Segment,
    /// A document of its own.
    SubsegmentAlone,
    /// Within another, whose id and trace these are.
    Nested {
        parent: Option<&'a str>,
        trace: Option<&'a str>,
    },
}

const ID: &str = "expected 16 hexadecimal digits";
const TRACE_ID: &str = "expected 1-<8 hexadecimal digits>-<24 hexadecimal digits>";
const SECONDS: &str =
    "expected seconds since the epoch as a number, such as 1790000000.123456, and no milliseconds";
const FLAG: &str = "expected true or false";

/// Later than any time in seconds, earlier than any in milliseconds.
const NOT_SECONDS: f64 = 1e11;

/// X-Ray's limits of a name; a subsegment's is told by its API alone.
const MAX_SEGMENT_NAME: usize = 200;
const MAX_SUBSEGMENT_NAME: usize = 250;

pub(super) fn check(problems: &mut Problems, place: &Place<'_>, entity: &Map<String, Value>, kind: Kind<'_>) {
    let is_segment = matches!(kind, Kind::Segment);
    name(problems, place, entity, is_segment);
    let id = problems.required(place, entity, "id", ID, is_id_value).and_then(Value::as_str);
    if let Some(id) = id
        && !problems.is_new_id(id)
    {
        problems.wrong(&place.key("id"), &id.into(), "expected an id that no other part of the document has");
    }
    times(problems, place, entity);
    let trace = identity(problems, place, entity, kind);
    for flag in ["error", "fault", "throttle", "inferred"] {
        problems.field(place, entity, flag, FLAG, Value::is_boolean);
    }
    // "local" is what X-Ray's SDKs write where a call stays within the function, though it is not documented.
    let is_namespace =
        |value: &Value| !is_segment && matches!(value.as_str(), Some("aws" | "remote" | "local"));
    problems.field(
        place,
        entity,
        "namespace",
        "expected aws, remote or local, and only in a subsegment",
        is_namespace,
    );
    let is_user = |value: &Value| value.as_str().is_some_and(|user| user.chars().count() <= 250);
    problems.field(place, entity, "user", "expected a string of at most 250 characters", is_user);
    problems.field(place, entity, "origin", "expected a string such as AWS::EC2::Instance", Value::is_string);
    blocks::check(problems, place, entity, is_segment);
    if let Some(value) = entity.get("cause") {
        cause::check(problems, &place.key("cause"), value);
    }
    let Some(subsegments) =
        problems.field(place, entity, "subsegments", "expected an array of subsegments", Value::is_array)
    else {
        return;
    };
    let inside = place.key("subsegments");
    for (index, subsegment) in subsegments.as_array().into_iter().flatten().enumerate() {
        let place = inside.index(index);
        match subsegment.as_object() {
            Some(object) => check(problems, &place, object, Kind::Nested { parent: id, trace }),
            None => problems.wrong(&place, subsegment, "expected an object, a subsegment"),
        }
    }
}

fn is_id_value(value: &Value) -> bool {
    value.as_str().is_some_and(is_id)
}

/// Whether X-Ray takes `letter` in a name.
pub(in super::super) fn is_of_a_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter.is_whitespace() || "_.:/%&#=+\\-@".contains(letter)
}

fn name(problems: &mut Problems, place: &Place<'_>, entity: &Map<String, Value>, is_segment: bool) {
    let rule = "expected letters, digits, white space and _ . : / % & # = + \\ - @";
    let is_name =
        |value: &Value| value.as_str().is_some_and(|name| !name.is_empty() && name.chars().all(is_of_a_name));
    let most = if is_segment { MAX_SEGMENT_NAME } else { MAX_SUBSEGMENT_NAME };
    let name = problems.required(place, entity, "name", rule, is_name).and_then(Value::as_str);
    if let Some(length) = name.map(|name| name.chars().count()).filter(|length| *length > most) {
        problems.say(
            &place.key("name"),
            &format!("has {length} characters"),
            &format!("expected at most {most}"),
        );
    }
}

/// A time in seconds.
fn is_seconds(value: &Value) -> bool {
    value.as_f64().is_some_and(|seconds| seconds > 0.0 && seconds < NOT_SECONDS)
}

fn times(problems: &mut Problems, place: &Place<'_>, entity: &Map<String, Value>) {
    let start = problems.required(place, entity, "start_time", SECONDS, is_seconds);
    let in_progress =
        problems.field(place, entity, "in_progress", FLAG, Value::is_boolean) == Some(&Value::Bool(true));
    let end_place = place.key("end_time");
    match entity.get("end_time") {
        None if in_progress => {}
        None => problems.missing(&end_place, "expected it, or in_progress: true until it is known"),
        Some(end) if in_progress => {
            problems.wrong(&end_place, end, "expected none beside in_progress: true");
        }
        Some(end) if !is_seconds(end) => problems.wrong(&end_place, end, SECONDS),
        Some(end) => {
            if let Some(start) = start.filter(|start| end.as_f64() < start.as_f64()) {
                problems.wrong(&end_place, end, &format!("expected no time before start_time, {start}"));
            }
        }
    }
}

/// Type, trace and parent; tells the trace.
fn identity<'e>(
    problems: &mut Problems,
    place: &Place<'_>,
    entity: &'e Map<String, Value>,
    kind: Kind<'e>,
) -> Option<&'e str> {
    let is_trace = |value: &Value| value.as_str().is_some_and(is_root);
    let is_subsegment = |value: &Value| value == "subsegment";
    problems.field(place, entity, "type", "expected \"subsegment\", or no type in a segment", is_subsegment);
    match kind {
        Kind::Segment => {
            problems.field(place, entity, "parent_id", ID, is_id_value);
            problems.required(place, entity, "trace_id", TRACE_ID, is_trace)?.as_str()
        }
        Kind::SubsegmentAlone => {
            problems.required(place, entity, "parent_id", ID, is_id_value);
            problems.required(place, entity, "trace_id", TRACE_ID, is_trace)?.as_str()
        }
        Kind::Nested { parent, trace } => {
            let agrees = |outer: Option<&str>, value: &Value| outer.is_none_or(|outer| value == outer);
            let rule = "expected the id of the enclosing part, or none";
            problems.field(place, entity, "parent_id", rule, |value| agrees(parent, value));
            let rule = "expected the document's trace, or none";
            problems.field(place, entity, "trace_id", rule, |value| agrees(trace, value));
            trace
        }
    }
}
