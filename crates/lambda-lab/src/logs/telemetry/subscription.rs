//! What a subscription asks for, checked.
//!
//! Apart from the HTTP around it because it is pure. The ranges are those of
//! <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api-reference.html>. Invariant: the destination of a checked subscription
//! is a port of this machine.

use std::time::Duration;

use http::Uri;
use serde::Deserialize;
use serde_json::Value;

const SCHEMA_VERSIONS: [&str; 3] = ["2022-07-01", "2022-12-13", "2025-01-29"];

/// A kind of telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::logs) enum Type {
    Platform,
    Function,
    Extension,
}

impl Type {
    const ALL: [Self; 3] = [Self::Platform, Self::Function, Self::Extension];

    pub(in crate::logs) fn name(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Function => "function",
            Self::Extension => "extension",
        }
    }
}

/// When a batch is sent: as soon as one of these is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Buffering {
    pub(super) max_items: usize,
    pub(super) max_bytes: usize,
    pub(super) timeout: Duration,
}

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::logs) struct Subscription {
    pub(in crate::logs) types: Vec<Type>,
    pub(super) buffering: Buffering,
    /// On 127.0.0.1.
    pub(super) destination: Uri,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    schema_version: Option<Value>,
    types: Option<Vec<Value>>,
    buffering: Option<BufferingRequest>,
    destination: Option<Destination>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BufferingRequest {
    max_items: Option<u64>,
    max_bytes: Option<u64>,
    timeout_ms: Option<u64>,
}

#[derive(Deserialize)]
struct Destination {
    protocol: Option<String>,
    #[serde(rename = "URI")]
    uri: Option<String>,
}

impl Subscription {
    /// Reads the body of a subscription request.
    ///
    /// # Errors
    /// All that is wrong with it, joined by `; ` as Lambda does, in words for its sender.
    pub(super) fn parse(body: &[u8]) -> Result<Self, String> {
        let request: Request = serde_json::from_slice(body)
            .map_err(|error| format!("the request body is not valid: {error}"))?;
        let mut wrong = Vec::new();
        check_schema(request.schema_version.as_ref(), &mut wrong);
        let types = types(request.types.as_deref(), &mut wrong);
        let buffering = buffering(&request.buffering.unwrap_or_default(), &mut wrong);
        let destination = destination(request.destination.as_ref())
            .inspect_err(|message| wrong.push(message.clone()))
            .unwrap_or_default();
        if wrong.is_empty() { Ok(Self { types, buffering, destination }) } else { Err(wrong.join("; ")) }
    }
}

fn check_schema(version: Option<&Value>, wrong: &mut Vec<String>) {
    match version {
        Some(Value::String(version)) if SCHEMA_VERSIONS.contains(&version.as_str()) => {}
        Some(version) => {
            wrong.push(format!("schemaVersion {version} is not one of {}", SCHEMA_VERSIONS.join(", ")));
        }
        None => wrong.push(format!("schemaVersion is missing; use one of {}", SCHEMA_VERSIONS.join(", "))),
    }
}

fn types(names: Option<&[Value]>, wrong: &mut Vec<String>) -> Vec<Type> {
    let names = names.unwrap_or_default();
    if names.is_empty() {
        wrong.push("types should not be empty".to_owned());
    }
    let mut types = Vec::new();
    for name in names {
        match Type::ALL.into_iter().find(|kind| name.as_str() == Some(kind.name())) {
            Some(kind) if types.contains(&kind) => {}
            Some(kind) => types.push(kind),
            None => wrong.push(format!("types has {name}; expected platform, function or extension")),
        }
    }
    types
}

fn buffering(request: &BufferingRequest, wrong: &mut Vec<String>) -> Buffering {
    let mut checked = |name: &str, value: Option<u64>, default: u64, least: u64, most: u64| {
        let value = value.unwrap_or(default);
        if !(least..=most).contains(&value) {
            wrong.push(format!("buffering.{name} is {value}; expected {least} to {most}"));
        }
        value
    };
    // The default of maxItems is 1,000 in the reference's text and 10,000 in its schema and in Lambda's open-source emulator.
    let max_items = checked("maxItems", request.max_items, 10_000, 1_000, 10_000);
    let max_bytes = checked("maxBytes", request.max_bytes, 262_144, 262_144, 1_048_576);
    let timeout_ms = checked("timeoutMs", request.timeout_ms, 1_000, 25, 30_000);
    let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    Buffering {
        max_items: size(max_items),
        max_bytes: size(max_bytes),
        timeout: Duration::from_millis(timeout_ms),
    }
}

/// The destination on this machine: a sandbox knows itself as `sandbox.localdomain`, and shares this machine's loopback.
fn destination(destination: Option<&Destination>) -> Result<Uri, String> {
    let destination = destination.ok_or("destination is missing")?;
    match destination.protocol.as_deref() {
        Some("HTTP") => {}
        Some("TCP") => {
            return Err("destination.protocol TCP is not emulated by lambda-lab; use HTTP".to_owned());
        }
        Some(other) => return Err(format!("destination.protocol is {other:?}; expected HTTP")),
        None => return Err("destination.protocol is missing; expected HTTP".to_owned()),
    }
    let text = destination.uri.as_deref().ok_or("destination.URI is missing")?;
    let uri: Uri = text.parse().map_err(|error| format!("destination.URI {text:?} is not a URI: {error}"))?;
    if uri.scheme_str() != Some("http") {
        return Err(format!("destination.URI {text:?} does not begin with http://"));
    }
    let host = uri.host().unwrap_or_default();
    if !["sandbox.localdomain", "sandbox", "localhost", "127.0.0.1"].contains(&host) {
        return Err(format!("destination.URI host is {host:?}; expected sandbox.localdomain"));
    }
    let port = uri.port_u16().filter(|port| *port != 0).ok_or("URI port is not provided")?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    format!("http://127.0.0.1:{port}{path}")
        .parse()
        .map_err(|error| format!("destination.URI {text:?}: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As `lambda-extension` sends it.
    fn request() -> Value {
        json!({
            "schemaVersion": "2022-12-13",
            "types": ["platform", "function", "extension"],
            "buffering": { "maxItems": 1000, "maxBytes": 262_144, "timeoutMs": 25 },
            "destination": { "protocol": "HTTP", "URI": "http://sandbox.localdomain:8080/logs?x=1" },
        })
    }

    fn parse(request: &Value) -> Result<Subscription, String> {
        Subscription::parse(request.to_string().as_bytes())
    }

    #[test]
    fn the_sandbox_is_this_machine() {
        let subscription = parse(&request()).unwrap();
        assert_eq!(subscription.destination, "http://127.0.0.1:8080/logs?x=1");
        assert_eq!(subscription.types, Type::ALL);
        assert_eq!(subscription.buffering.timeout, Duration::from_millis(25));
    }

    #[test]
    fn buffering_may_be_left_out() {
        let mut request = request();
        request.as_object_mut().unwrap().remove("buffering");
        let buffering = parse(&request).unwrap().buffering;
        let expected = Buffering { max_items: 10_000, max_bytes: 262_144, timeout: Duration::from_secs(1) };
        assert_eq!(buffering, expected);
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_expected() {
        let table = [
            (
                "/schemaVersion",
                json!("2020-08-15"),
                "schemaVersion \"2020-08-15\" is not one of 2022-07-01, 2022-12-13, 2025-01-29",
            ),
            ("/types", json!([]), "types should not be empty"),
            ("/types/1", json!("logs"), "types has \"logs\"; expected platform, function or extension"),
            ("/buffering/maxItems", json!(999), "buffering.maxItems is 999; expected 1000 to 10000"),
            (
                "/buffering/maxBytes",
                json!(1_048_577),
                "buffering.maxBytes is 1048577; expected 262144 to 1048576",
            ),
            ("/buffering/timeoutMs", json!(24), "buffering.timeoutMs is 24; expected 25 to 30000"),
            ("/buffering/timeoutMs", json!(30_001), "buffering.timeoutMs is 30001; expected 25 to 30000"),
            (
                "/destination/protocol",
                json!("TCP"),
                "destination.protocol TCP is not emulated by lambda-lab; use HTTP",
            ),
            ("/destination/URI", json!("http://sandbox.localdomain"), "URI port is not provided"),
            (
                "/destination/URI",
                json!("http://example.com:80"),
                "destination.URI host is \"example.com\"; expected sandbox.localdomain",
            ),
            (
                "/destination/URI",
                json!("https://sandbox.localdomain:80"),
                "destination.URI \"https://sandbox.localdomain:80\" does not begin with http://",
            ),
            ("/destination", json!(null), "destination is missing"),
        ];
        for (place, value, message) in table {
            let mut request = request();
            *request.pointer_mut(place).unwrap() = value;
            assert_eq!(parse(&request).unwrap_err(), message);
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let mut request = request();
        request["types"] = json!([]);
        request["destination"]["URI"] = json!("http://sandbox.localdomain/");
        assert_eq!(parse(&request).unwrap_err(), "types should not be empty; URI port is not provided");
    }

    #[test]
    fn a_body_that_is_not_a_subscription_is_refused() {
        for body in ["", "[]", "{\"types\":\"platform\"}", "\u{0}"] {
            assert!(Subscription::parse(body.as_bytes()).is_err(), "{body:?}");
        }
    }
}
