//! A span's attributes, each in the place that X-Ray has for it.
//!
//! Apart because the sorting is a table of names: OpenTelemetry's conventions on one side, X-Ray's blocks on the other. An
//! attribute that is named `annotation.x` is indexed as `x`; `metadata.x`, and what no block has a place for, is metadata under
//! the service's name. Invariant: no key is written twice, and the attribute set last wins.

use opentelemetry::trace::SpanKind;
use opentelemetry::{KeyValue, Value};

use super::fit;
use crate::json;

/// Of a whole trace; X-Ray indexes no more.
const MAX_ANNOTATIONS: usize = 50;

/// Of an annotation's text.
const MAX_ANNOTATION: usize = 1000;

/// Of one text in the metadata: it is to be small.
const MAX_METADATA: usize = 4000;

#[derive(Default)]
pub(super) struct Attributes<'a> {
    annotations: Vec<(&'a str, &'a Value)>,
    metadata: Vec<(&'a str, &'a Value)>,
    /// How long the document was, if its metadata had to be left out.
    left_out_of_bytes: Option<usize>,
    /// Message and type.
    pub(super) exception: Option<(&'a Value, Option<&'a Value>)>,
    method: Option<&'a Value>,
    url: Option<&'a Value>,
    status: Option<&'a Value>,
    system: Option<&'a Value>,
    operation: Option<&'a Value>,
    region: Option<&'a Value>,
    request_id: Option<&'a Value>,
}

impl<'a> Attributes<'a> {
    pub(super) fn sort(attributes: &'a [KeyValue]) -> Self {
        let mut sorted = Self::default();
        let (mut message, mut kind) = (None, None);
        for KeyValue { key, value, .. } in attributes {
            let value = Some(value);
            match key.as_str() {
                "exception.message" => message = value,
                "exception.type" => kind = value,
                "http.request.method" => sorted.method = value,
                "url.full" => sorted.url = value,
                "http.response.status_code" => sorted.status = value,
                "rpc.system" => sorted.system = value,
                "rpc.method" => sorted.operation = value,
                "cloud.region" => sorted.region = value,
                "aws.request_id" => sorted.request_id = value,
                key => sorted.add(key, value),
            }
        }
        sorted.exception = message.map(|message| (message, kind));
        sorted
    }

    fn add(&mut self, key: &'a str, value: Option<&'a Value>) {
        let Some(value) = value else { return };
        match key.strip_prefix("annotation.") {
            // An annotation is a text, a number, true or false.
            Some(key) if !matches!(value, Value::Array(_)) => self.annotations.push((key, value)),
            Some(key) => self.metadata.push((key, value)),
            None => self.metadata.push((key.strip_prefix("metadata.").unwrap_or(key), value)),
        }
    }

    /// The same without metadata; the document says that it had been `length` bytes long.
    pub(super) fn without_metadata(self, length: usize) -> Self {
        Self { metadata: Vec::new(), left_out_of_bytes: Some(length), ..self }
    }

    /// `aws` for a call of an AWS service, `remote` for any other call: what makes it a node of its own on X-Ray's map.
    pub(super) fn namespace(&self, kind: &SpanKind) -> Option<&'static str> {
        if self.system.is_some_and(|system| system.as_str() == "aws-api") {
            return Some("aws");
        }
        matches!(kind, SpanKind::Client | SpanKind::Producer).then_some("remote")
    }

    pub(super) fn http_status(&self) -> Option<i64> {
        match self.status? {
            Value::I64(status) => Some(*status),
            other => other.as_str().parse().ok(),
        }
    }

    pub(super) fn write(&self, json: &mut Vec<u8>, service: &str, namespace: Option<&str>) {
        self.write_http(json);
        if namespace == Some("aws") {
            let fields =
                [("operation", self.operation), ("region", self.region), ("request_id", self.request_id)];
            write_block(json, "aws", &fields);
        }
        self.write_annotations(json);
        self.write_metadata(json, service);
    }

    fn write_http(&self, json: &mut Vec<u8>) {
        let status = self.http_status();
        if self.method.is_none() && self.url.is_none() && status.is_none() {
            return;
        }
        json::key(json, "http");
        json.push(b'{');
        write_block(json, "request", &[("method", self.method), ("url", self.url)]);
        if let Some(status) = status {
            json::key(json, "response");
            json.extend_from_slice(b"{\"status\":");
            json::plain(json, status);
            json.push(b'}');
        }
        json.push(b'}');
    }

    fn write_annotations(&self, json: &mut Vec<u8>) {
        if self.annotations.is_empty() {
            return;
        }
        json::key(json, "annotations");
        json.push(b'{');
        let keys: Vec<_> = self.annotations.iter().map(|(key, _)| fit::key(key)).collect();
        let last_ones = (0..keys.len()).filter(|&index| !keys[index + 1..].contains(&keys[index]));
        for index in last_ones.take(MAX_ANNOTATIONS) {
            json::key(json, &keys[index]);
            write_value(json, self.annotations[index].1, MAX_ANNOTATION);
        }
        json.push(b'}');
    }

    fn write_metadata(&self, json: &mut Vec<u8>, service: &str) {
        if self.metadata.is_empty() && self.left_out_of_bytes.is_none() {
            return;
        }
        json::key(json, "metadata");
        json.push(b'{');
        json::key(json, service);
        json.push(b'{');
        for (index, (key, value)) in self.metadata.iter().enumerate() {
            if self.metadata[index + 1..].iter().all(|(later, _)| later != key) {
                json::key(json, key);
                write_value(json, value, MAX_METADATA);
            }
        }
        if let Some(length) = self.left_out_of_bytes {
            json::key(json, "left_out");
            json::text(json, format_args!("metadata of a document of {length} bytes"));
        }
        json.extend_from_slice(b"}}");
    }
}

/// An object of those fields that there are; nothing if there are none.
fn write_block(json: &mut Vec<u8>, name: &str, fields: &[(&str, Option<&Value>)]) {
    if fields.iter().all(|(_, value)| value.is_none()) {
        return;
    }
    json::key(json, name);
    json.push(b'{');
    for (key, value) in fields {
        if let Some(value) = value {
            json::key(json, key);
            json::string(json, fit::shortened(&value.as_str(), MAX_ANNOTATION));
        }
    }
    json.push(b'}');
}

fn write_value(json: &mut Vec<u8>, value: &Value, limit: usize) {
    match value {
        Value::Bool(value) => json::plain(json, value),
        Value::I64(value) => json::plain(json, value),
        // X-Ray takes no null; what JSON has no number for is told as a text.
        Value::F64(value) if value.is_finite() => json::number(json, *value),
        other => json::string(json, fit::shortened(&other.as_str(), limit)),
    }
}
