//! Spans of OpenTelemetry as X-Ray documents.
//!
//! Apart from the daemon because it is pure. AWS's OpenTelemetry layers for Lambda send `ExportTraceServiceRequest` in base64 to the
//! daemon's port, and the service makes documents of it; how is not documented. The mapping here follows the X-Ray exporter of the
//! OpenTelemetry collector: <https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/awsxrayexporter>.
//! Every span becomes a subsegment: Lambda owns the segments. Invariant: each span becomes one document, whatever it lacks; the judge
//! says what.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message;
use serde_json::{Map, Value, json};

use super::header::{id_text, new_id};
use super::validate::is_of_a_name;

/// What an attribute's key begins with that becomes an annotation.
const ANNOTATION: &str = "annotation.";

/// The documents of an export request.
///
/// # Errors
/// Why it is none, as a sentence.
pub(super) fn documents(base64: &[u8]) -> Result<Vec<Value>, String> {
    let protobuf = STANDARD
        .decode(base64.trim_ascii_end())
        .map_err(|error| format!("what follows T1S is no base64: {error}"))?;
    let request = ExportTraceServiceRequest::decode(protobuf.as_slice())
        .map_err(|error| format!("what follows T1S is no ExportTraceServiceRequest: {error}"))?;
    let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    Ok(scopes.flat_map(|scope| scope.spans).map(|span| document(&span)).collect())
}

fn document(span: &Span) -> Value {
    let attributes = Attributes(&span.attributes);
    let mut document = Map::new();
    let mut put = |key: &str, value: Value| drop(document.insert(key.to_owned(), value));
    put("type", "subsegment".into());
    put("name", name(&span.name).into());
    put("id", hex(&span.span_id).into());
    put("trace_id", trace_id(&span.trace_id).into());
    if !span.parent_span_id.is_empty() {
        put("parent_id", hex(&span.parent_span_id).into());
    }
    put("start_time", seconds(span.start_time_unix_nano));
    put("end_time", seconds(span.end_time_unix_nano));
    if attributes.text(&["rpc.system"]) == Some("aws-api") {
        put("namespace", "aws".into());
    } else if span.kind == SpanKind::Client as i32 {
        put("namespace", "remote".into());
    }
    for (key, block) in [("http", http(&attributes)), ("sql", sql(&attributes)), ("aws", aws(&attributes))] {
        if !block.is_empty() {
            put(key, block.into());
        }
    }
    for (key, value) in failure(span, &attributes) {
        put(key, value);
    }
    let (mut annotations, mut metadata) = (Map::new(), Map::new());
    for attribute in &span.attributes {
        let value = attribute.value.as_ref().map_or(Value::Null, plain);
        match attribute.key.strip_prefix(ANNOTATION) {
            Some(key) => annotations.insert(key.to_owned(), value),
            None => metadata.insert(attribute.key.clone(), value),
        };
    }
    if !annotations.is_empty() {
        put("annotations", annotations.into());
    }
    if !metadata.is_empty() {
        put("metadata", json!({ "default": metadata }));
    }
    Value::Object(document)
}

/// The span's name without what X-Ray does not allow in one.
fn name(name: &str) -> String {
    let name: String = name.chars().filter(|letter| is_of_a_name(*letter)).take(200).collect();
    if name.is_empty() { "span".to_owned() } else { name }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn trace_id(bytes: &[u8]) -> String {
    let digits = hex(bytes);
    match digits.split_at_checked(8) {
        Some((time, random)) => format!("1-{time}-{random}"),
        None => digits,
    }
}

#[allow(clippy::cast_precision_loss)] // Microseconds since the epoch are below 2^53 until the year 2255.
fn seconds(nanoseconds: u64) -> Value {
    ((nanoseconds / 1_000) as f64 / 1e6).into()
}

/// The attributes of a span or an event.
struct Attributes<'a>(&'a [KeyValue]);

impl<'a> Attributes<'a> {
    /// The first of `keys` that is there: conventions have renamed many.
    fn get(&self, keys: &[&str]) -> Option<&'a Any> {
        let find = |key: &&str| self.0.iter().find(|attribute| attribute.key == **key);
        keys.iter().find_map(find)?.value.as_ref()?.value.as_ref()
    }

    fn text(&self, keys: &[&str]) -> Option<&'a str> {
        match self.get(keys)? {
            Any::StringValue(text) => Some(text),
            _ => None,
        }
    }

    fn number(&self, keys: &[&str]) -> Option<i64> {
        match self.get(keys)? {
            Any::IntValue(number) => Some(*number),
            Any::StringValue(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// An object of those `(its key, where it may stand)` that are there.
    fn block(&self, parts: &[(&str, &[&str])]) -> Map<String, Value> {
        let part = |(key, keys): &(&str, &[&str])| Some(((*key).to_owned(), self.text(keys)?.into()));
        parts.iter().filter_map(part).collect()
    }
}

fn http(attributes: &Attributes<'_>) -> Map<String, Value> {
    let request = attributes.block(&[
        ("method", &["http.request.method", "http.method"]),
        ("url", &["url.full", "http.url"]),
        ("user_agent", &["user_agent.original", "http.user_agent"]),
        ("client_ip", &["client.address", "http.client_ip"]),
    ]);
    let mut response = Map::new();
    for (key, keys) in [
        ("status", ["http.response.status_code", "http.status_code"]),
        ("content_length", ["http.response.body.size", "http.response_content_length"]),
    ] {
        response.extend(attributes.number(&keys).map(|number| (key.to_owned(), number.into())));
    }
    let parts = [("request", request), ("response", response)];
    let there = parts.into_iter().filter(|(_, part)| !part.is_empty());
    there.map(|(key, part)| (key.to_owned(), part.into())).collect()
}

fn sql(attributes: &Attributes<'_>) -> Map<String, Value> {
    const SYSTEM: &[&str] = &["db.system.name", "db.system"];
    let not_sql = ["redis", "dynamodb", "aws.dynamodb", "mongodb", "memcached"];
    if attributes.text(SYSTEM).is_none_or(|system| not_sql.contains(&system)) {
        return Map::new();
    }
    attributes.block(&[
        ("database_type", SYSTEM),
        ("sanitized_query", &["db.query.text", "db.statement"]),
        ("user", &["db.user"]),
    ])
}

fn aws(attributes: &Attributes<'_>) -> Map<String, Value> {
    attributes.block(&[
        ("operation", &["aws.operation", "rpc.method"]),
        ("region", &["cloud.region", "aws.region"]),
        ("request_id", &["aws.request_id"]),
        ("table_name", &["aws.table_name"]),
        ("queue_url", &["aws.queue_url"]),
    ])
}

/// Flags and cause of a span whose status is an error.
fn failure(span: &Span, attributes: &Attributes<'_>) -> Vec<(&'static str, Value)> {
    let Some(status) = span.status.as_ref().filter(|status| status.code == StatusCode::Error as i32) else {
        return Vec::new();
    };
    let mut flags = match attributes.number(&["http.response.status_code", "http.status_code"]) {
        Some(429) => vec![("error", true.into()), ("throttle", true.into())],
        Some(400..500) => vec![("error", true.into())],
        _ => vec![("fault", true.into())],
    };
    let events = span.events.iter().filter(|event| event.name == "exception");
    let told = events.map(|event| {
        let attributes = Attributes(&event.attributes);
        let text = |key| attributes.text(&[key]).unwrap_or_default();
        exception(text("exception.type"), text("exception.message"))
    });
    let mut exceptions: Vec<_> = told.collect();
    if exceptions.is_empty() && !status.message.is_empty() {
        exceptions.push(exception("", &status.message));
    }
    if !exceptions.is_empty() {
        flags.push(("cause", json!({ "exceptions": exceptions })));
    }
    flags
}

fn exception(kind: &str, message: &str) -> Value {
    json!({ "id": id_text(new_id()), "type": kind, "message": message })
}

/// An attribute's value as JSON; its depth is bounded by the decoder.
fn plain(value: &AnyValue) -> Value {
    match &value.value {
        Some(Any::StringValue(text)) => text.as_str().into(),
        Some(Any::BoolValue(flag)) => (*flag).into(),
        Some(Any::IntValue(number)) => (*number).into(),
        Some(Any::DoubleValue(number)) => (*number).into(),
        Some(Any::ArrayValue(array)) => array.values.iter().map(plain).collect(),
        Some(Any::KvlistValue(list)) => {
            let pair = |pair: &KeyValue| (pair.key.clone(), pair.value.as_ref().map_or(Value::Null, plain));
            Value::Object(list.values.iter().map(pair).collect())
        }
        Some(Any::BytesValue(bytes)) => STANDARD.encode(bytes).into(),
        Some(_) | None => Value::Null,
    }
}

#[cfg(test)]
mod tests;
