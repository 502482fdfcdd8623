//! What went wrong in a step, as the `cause` of its document.
//!
//! Apart because an error reaches a span on three ways: recorded by the step that failed, logged within it, or only as its
//! status. Invariant: messages are short; an exception's id is unique in its trace, as the span's own id is.

use opentelemetry::trace::{Event, Status};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use super::attributes::Attributes;
use super::{fit, push_hex};
use crate::json;

/// Of one message; a driver's error may quote a whole answer.
const MAX_MESSAGE: usize = 2000;

/// Of one document. The first errors tell the most.
const MAX_EXCEPTIONS: usize = 5;

struct Exception {
    message: String,
    kind: String,
}

pub(super) fn write(json: &mut Vec<u8>, span: &SpanData, attributes: &Attributes<'_>) {
    let recorded = attributes.exception.as_ref().map(|(message, kind)| Exception {
        message: message.to_string(),
        kind: kind.map_or_else(|| "error".to_owned(), |kind| kind.as_str().into_owned()),
    });
    let logged = span.events.iter().filter(|event| is_error(event)).map(logged);
    let described = match &span.status {
        Status::Error { description } if !description.is_empty() => {
            Some(Exception { message: description.to_string(), kind: "error".to_owned() })
        }
        _ => None,
    };
    let mut exceptions: Vec<Exception> = recorded.into_iter().chain(logged).collect();
    if exceptions.is_empty() {
        exceptions.extend(described);
    }
    if exceptions.is_empty() {
        return;
    }
    json.extend_from_slice(b",\"cause\":{\"exceptions\":[");
    let id = u64::from_be_bytes(span.span_context.span_id().to_bytes());
    for (index, exception) in exceptions.iter().take(MAX_EXCEPTIONS).enumerate() {
        json.extend_from_slice(if index == 0 { b"{\"id\":\"" } else { b",{\"id\":\"" });
        push_hex(json, &id.wrapping_add(index as u64 + 1).to_be_bytes());
        json.extend_from_slice(b"\",\"message\":");
        json::string(json, fit::shortened(&exception.message, MAX_MESSAGE));
        json::key(json, "type");
        json::string(json, fit::shortened(&exception.kind, MAX_MESSAGE));
        if index + 1 == MAX_EXCEPTIONS && exceptions.len() > MAX_EXCEPTIONS {
            // X-Ray's place for it is the exception.
            json::key(json, "skipped");
            json::plain(json, exceptions.len() - MAX_EXCEPTIONS);
        }
        json.push(b'}');
    }
    json.extend_from_slice(b"]}");
}

/// Only events of this level reach a span at all; one made by OpenTelemetry itself has no level.
fn is_error(event: &Event) -> bool {
    event.name == "exception" || text(event, "level").is_some_and(|level| level.as_str() == "ERROR")
}

/// `tracing::error!(%error, "request failed")` becomes `request failed: <the error>`.
fn logged(event: &Event) -> Exception {
    let error = text(event, "exception.message").or_else(|| text(event, "error"));
    let message = match error {
        Some(error) if event.name == "exception" || event.name.is_empty() => error.to_string(),
        Some(error) => format!("{}: {error}", event.name),
        None => event.name.to_string(),
    };
    let kind = text(event, "exception.type").map_or_else(|| "error".to_owned(), ToString::to_string);
    Exception { message, kind }
}

fn text<'a>(event: &'a Event, key: &str) -> Option<&'a Value> {
    event
        .attributes
        .iter()
        .find(|KeyValue { key: known, .. }| known.as_str() == key)
        .map(|found| &found.value)
}
