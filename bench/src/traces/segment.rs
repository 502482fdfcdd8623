//! One segment or subsegment, flattened out of its document.
//!
//! Apart from the documents because the same span may come nested or alone, early or late, once or twice. Invariant: times are
//! whole microseconds since the Unix epoch, and a name holds nothing that a terminal would obey.

use serde_json::{Map, Value};

use crate::traces::records::Document;

/// Longest name shown, in characters; X-Ray's own limit is 200 for segments and 250 for subsegments.
const LONGEST_NAME: usize = 250;
/// No time later than this, in seconds since the epoch: the year 2255. Up to here an f64 tells microseconds apart.
const LATEST_S: f64 = 9e9;

/// A segment or subsegment.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Its id; made up from the parent's where the document had none.
    pub id: String,
    /// The id it hangs on.
    pub parent_id: Option<String>,
    /// Its name as sent, without control characters.
    pub name: String,
    /// Which kind of service sent it.
    pub origin: Option<String>,
    /// `aws` or `remote`: a call that left the function.
    pub namespace: Option<String>,
    /// Microseconds since the epoch.
    pub start_us: i64,
    /// Microseconds since the epoch; none if it never ended.
    pub end_us: Option<i64>,
    /// Lambda's request id, where the `aws` block tells it.
    pub request_id: Option<String>,
    /// Status of the HTTP response, where there was one.
    pub http_status: Option<i64>,
    /// How it failed, in a few words.
    pub failure: Option<String>,
    /// Indexed facts.
    pub annotations: Map<String, Value>,
}

impl Segment {
    /// Whether its name is the one of the function's own INIT.
    pub fn is_own_init(&self) -> bool {
        self.name == "## init"
    }

    /// Whether its name is marked as Powertools marks a handler.
    pub fn is_marked_handler(&self) -> bool {
        self.name.starts_with("## ") && !self.is_own_init()
    }
}

/// Flattens `document` and all that is nested in it onto `into`, parents first.
///
/// # Errors
/// Says what makes it unusable; nothing of it is taken then.
pub fn flatten(document: Document, into: &mut Vec<Segment>) -> Result<(), String> {
    let before = into.len();
    let mut open = vec![(document, None::<String>)];
    while let Some((mut document, enclosing)) = open.pop() {
        let nested = std::mem::take(&mut document.subsegments);
        let segment = match segment(document, enclosing, into.len()) {
            Ok(segment) => segment,
            Err(problem) => {
                into.truncate(before);
                return Err(problem);
            }
        };
        open.extend(nested.into_iter().rev().map(|nested| (nested, Some(segment.id.clone()))));
        into.push(segment);
    }
    Ok(())
}

fn segment(document: Document, enclosing: Option<String>, index: usize) -> Result<Segment, String> {
    let start_us = unix_us(document.start_time)
        .ok_or_else(|| format!("start_time {} is no time", document.start_time))?;
    let end_us = match document.end_time {
        None => None,
        Some(end) => Some(unix_us(end).ok_or_else(|| format!("end_time {end} is no time"))?),
    };
    let failure = failure(&document);
    let id = match (document.id, &enclosing) {
        (Some(id), _) if !id.is_empty() => clean(&id),
        (_, Some(parent)) => format!("{parent}/{index}"),
        (_, None) => return Err("it has no id".to_owned()),
    };
    Ok(Segment {
        id,
        parent_id: enclosing.or(document.parent_id),
        name: clean(&document.name),
        origin: document.origin,
        namespace: document.namespace,
        start_us,
        end_us,
        request_id: document.aws.get("request_id").and_then(Value::as_str).map(str::to_owned),
        http_status: document.http.get("response").and_then(|response| response.get("status")?.as_i64()),
        failure,
        annotations: document.annotations,
    })
}

fn unix_us(seconds: f64) -> Option<i64> {
    (0.0..LATEST_S).contains(&seconds).then(|| (seconds * 1e6).round() as i64)
}

fn failure(document: &Document) -> Option<String> {
    let flags = [(document.fault, "fault"), (document.throttle, "throttle"), (document.error, "error")];
    let (_, flag) = flags.into_iter().find(|(set, _)| *set)?;
    let exception = document.cause.as_ref().and_then(|cause| cause.get("exceptions")?.get(0));
    let told = |key| exception.and_then(|exception| exception.get(key)).and_then(Value::as_str);
    let words = [Some(flag), told("type"), told("message")];
    Some(clean(&words.into_iter().flatten().collect::<Vec<_>>().join(": ")))
}

/// Names come from functions that may be anyone's: control characters would reach the reader's terminal.
fn clean(text: &str) -> String {
    let shown = |character: char| if character.is_control() { '\u{fffd}' } else { character };
    text.chars().take(LONGEST_NAME).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn flattened(document: Value) -> Result<Vec<Segment>, String> {
        let mut segments = Vec::new();
        flatten(serde_json::from_value(document).unwrap(), &mut segments).map(|()| segments)
    }

    #[test]
    fn nested_subsegments_hang_on_what_encloses_them() {
        let segments = flattened(json!({"name": "f", "id": "a", "start_time": 1.0, "end_time": 4.0, "subsegments": [
            {"name": "x", "id": "b", "start_time": 2.0, "end_time": 3.0, "subsegments": [{"name": "y", "start_time": 2.0}]},
            {"name": "z", "id": "c", "parent_id": "elsewhere", "start_time": 3.0, "end_time": 4.0}]}))
        .unwrap();
        let parents: Vec<_> =
            segments.iter().map(|segment| (segment.name.as_str(), segment.parent_id.as_deref())).collect();
        assert_eq!(parents, [("f", None), ("x", Some("a")), ("y", Some("b")), ("z", Some("a"))]);
        assert_eq!(segments[2].id, "b/2");
        assert_eq!(segments[2].end_us, None);
    }

    #[test]
    fn times_are_whole_microseconds() {
        let segments =
            flattened(json!({"name": "f", "id": "a", "start_time": 1_790_000_000.123_457, "end_time": 1.790_000_000_123_458e9}))
                .unwrap();
        assert_eq!(segments[0].start_us, 1_790_000_000_123_457);
        assert_eq!(segments[0].end_us, Some(1_790_000_000_123_458));
    }

    #[test]
    fn what_is_no_time_is_refused_whole() {
        for time in [json!(-1.0), json!(1e300)] {
            let nested = json!({"name": "f", "id": "a", "start_time": 1.0, "subsegments": [{"name": "x", "start_time": time}]});
            assert!(flattened(nested).unwrap_err().contains("is no time"));
        }
        assert!(flattened(json!({"name": "f", "start_time": 1.0})).unwrap_err().contains("no id"));
    }

    #[test]
    fn a_failure_is_told_with_its_cause_and_nothing_commands_the_terminal() {
        let segments = flattened(json!({"name": "a\u{1b}[31m", "id": "a", "start_time": 1.0, "fault": true,
            "cause": {"exceptions": [{"type": "Timeout", "message": "after 2 s\u{7}"}]}}))
        .unwrap();
        assert_eq!(segments[0].name, "a\u{fffd}[31m");
        assert_eq!(segments[0].failure.as_deref(), Some("fault: Timeout: after 2 s\u{fffd}"));
    }
}
