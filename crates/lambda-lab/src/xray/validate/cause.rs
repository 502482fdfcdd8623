//! The rules of a `cause`: an exception's id, or a description of exceptions.
//!
//! Apart because runtimes post causes without a segment. Invariant: as for documents.

use serde_json::{Map, Value};

use super::super::header::is_id;
use super::Author;
use super::place::{Place, Problems};

const STRING: &str = "expected a string";
const ID: &str = "expected 16 hexadecimal digits";
const WHOLE: &str = "expected a whole number";

/// What is wrong with a cause that stands alone.
pub(in super::super) fn cause_problems(cause: &Value) -> Vec<String> {
    let mut problems = Problems::new(Author::Service);
    check(&mut problems, &Place::ROOT, cause);
    problems.into_sentences()
}

pub(super) fn check(problems: &mut Problems, place: &Place<'_>, cause: &Value) {
    match cause {
        Value::String(id) if is_id(id) => {}
        Value::Object(cause) => description(problems, place, cause),
        other => {
            let rule = "expected the id of an exception, 16 hexadecimal digits, or an object with exceptions";
            problems.wrong(place, other, rule);
        }
    }
}

fn description(problems: &mut Problems, place: &Place<'_>, cause: &Map<String, Value>) {
    problems.field(place, cause, "working_directory", STRING, Value::is_string);
    each(problems, place, cause, "paths", |problems, place, path| {
        if !path.is_string() {
            problems.wrong(place, path, STRING);
        }
    });
    each(problems, place, cause, "exceptions", |problems, place, exception| match exception.as_object() {
        Some(exception) => self::exception(problems, place, exception),
        None => problems.wrong(place, exception, "expected an object, an exception"),
    });
}

fn exception(problems: &mut Problems, place: &Place<'_>, exception: &Map<String, Value>) {
    let is_id_value = |value: &Value| value.as_str().is_some_and(is_id);
    problems.required(place, exception, "id", ID, is_id_value);
    problems.field(place, exception, "cause", ID, is_id_value);
    for key in ["message", "type"] {
        problems.field(place, exception, key, STRING, Value::is_string);
    }
    problems.field(place, exception, "remote", "expected true or false", Value::is_boolean);
    for key in ["truncated", "skipped"] {
        problems.field(place, exception, key, WHOLE, Value::is_u64);
    }
    each(problems, place, exception, "stack", |problems, place, frame| match frame.as_object() {
        Some(frame) => {
            problems.field(place, frame, "path", STRING, Value::is_string);
            problems.field(place, frame, "label", STRING, Value::is_string);
            problems.field(place, frame, "line", WHOLE, Value::is_i64);
        }
        None => problems.wrong(place, frame, "expected an object with path, line and label"),
    });
}

fn each(
    problems: &mut Problems,
    place: &Place<'_>,
    object: &Map<String, Value>,
    key: &str,
    check: impl Fn(&mut Problems, &Place<'_>, &Value),
) {
    let Some(items) = problems.field(place, object, key, "expected an array", Value::is_array) else {
        return;
    };
    let place = place.key(key);
    for (index, item) in items.as_array().into_iter().flatten().enumerate() {
        check(problems, &place.index(index), item);
    }
}
