//! An HTTP request as the HTTP API hands it to Lambda: payload format 2.0.
//!
//! Apart from the server because it is a pure mapping, with AWS's rules for names, cookies, bodies and times:
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>. Invariant: the event has
//! what the request had, nothing is invented but the ids.

use std::collections::BTreeMap;
use std::net::IpAddr;

use axum::http::{HeaderMap, Method};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::function::ACCOUNT;

/// The request's parts, as the server has them.
pub(crate) struct HttpRequest<'a> {
    pub(crate) method: &'a Method,
    /// Path behind the function's own prefix, beginning with `/`.
    pub(crate) path: &'a str,
    /// Query string without `?`; empty if there is none.
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) source_ip: IpAddr,
    pub(crate) body: &'a [u8],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    route_key: &'static str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<&'a str>,
    headers: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: BTreeMap<String, String>,
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    account_id: &'static str,
    api_id: &'static str,
    domain_name: &'a str,
    domain_prefix: &'a str,
    http: Http<'a>,
    request_id: &'a str,
    route_key: &'static str,
    stage: &'static str,
    time: String,
    time_epoch: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: &'static str,
    source_ip: String,
    user_agent: &'a str,
}

/// The event's JSON for `request`; `api_request_id` is the gateway's own id, `trace_header` what it passes on.
///
/// # Errors
/// None that valid HTTP can cause; serialisation is reported rather than assumed.
pub(crate) fn event(
    request: &HttpRequest<'_>,
    api_request_id: &str,
    trace_header: &str,
    now: jiff::Timestamp,
) -> Result<Vec<u8>, serde_json::Error> {
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let cookies = header("cookie").split("; ").filter(|cookie| !cookie.is_empty()).collect();
    let mut headers = joined_headers(request.headers);
    headers.remove("cookie");
    headers.insert("x-amzn-trace-id", trace_header.to_owned());
    headers.insert("x-forwarded-for", request.source_ip.to_string());
    headers.insert("x-forwarded-proto", "http".to_owned());
    let (body, is_base64_encoded) = body(request.body, header("content-type"));
    let domain = header("host");
    serde_json::to_vec(&Event {
        version: "2.0",
        route_key: "$default",
        raw_path: request.path,
        raw_query_string: request.query,
        cookies,
        headers,
        query_string_parameters: query_parameters(request.query),
        request_context: RequestContext {
            account_id: ACCOUNT,
            api_id: "lambdalab",
            domain_name: domain,
            domain_prefix: domain.split(['.', ':']).next().unwrap_or(domain),
            http: Http {
                method: request.method.as_str(),
                path: request.path,
                protocol: "HTTP/1.1",
                source_ip: request.source_ip.to_string(),
                user_agent: header("user-agent"),
            },
            request_id: api_request_id,
            route_key: "$default",
            stage: "$default",
            time: now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            time_epoch: now.as_millisecond(),
        },
        body,
        is_base64_encoded,
    })
}

/// Header names are lower case already; values of a repeated name are joined with commas.
fn joined_headers(headers: &HeaderMap) -> BTreeMap<&str, String> {
    let mut joined: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        joined
            .entry(name.as_str())
            .and_modify(|known| {
                known.push(',');
                known.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    joined
}

fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|known| {
                known.push(',');
                known.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    parameters
}

/// Text bodies pass as they are, all others in base64.
fn body(body: &[u8], content_type: &str) -> (Option<String>, bool) {
    if body.is_empty() {
        return (None, false);
    }
    let textual = ["text/", "application/json", "application/javascript", "application/xml"];
    let text =
        textual.iter().any(|kind| content_type.starts_with(kind)).then(|| std::str::from_utf8(body).ok());
    match text.flatten() {
        Some(text) => (Some(text.to_owned()), false),
        None => (Some(STANDARD.encode(body)), true),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::{Value, json};

    use super::*;

    fn mapped(request: &HttpRequest<'_>) -> Value {
        let now = "2020-03-12T19:03:58Z".parse().unwrap();
        serde_json::from_slice(&event(request, "id=", "Root=1-a-b", now).unwrap()).unwrap()
    }

    #[test]
    fn maps_names_queries_cookies_and_times_as_aws_documents_them() {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("api.example.com"));
        headers.append("header2", HeaderValue::from_static("value1"));
        headers.append("header2", HeaderValue::from_static("value2"));
        headers.insert("cookie", HeaderValue::from_static("cookie1=a; cookie2=b"));
        let request = HttpRequest {
            method: &Method::GET,
            path: "/my/path",
            query: "parameter1=value1&parameter1=value%202&parameter2=",
            headers: &headers,
            source_ip: [192, 0, 2, 1].into(),
            body: b"",
        };
        let event = mapped(&request);
        assert_eq!(event["version"], "2.0");
        assert_eq!(event["cookies"], json!(["cookie1=a", "cookie2=b"]));
        assert_eq!(event["headers"]["header2"], "value1,value2");
        assert_eq!(event["headers"].get("cookie"), None);
        assert_eq!(event["queryStringParameters"], json!({"parameter1": "value1,value 2", "parameter2": ""}));
        assert_eq!(event["requestContext"]["time"], "12/Mar/2020:19:03:58 +0000");
        assert_eq!(event["requestContext"]["timeEpoch"], 1_584_039_838_000_i64);
        assert_eq!(event["requestContext"]["domainPrefix"], "api");
        assert_eq!(event.get("body"), None);
    }

    #[test]
    fn passes_text_as_it_is_and_other_bodies_in_base64() {
        assert_eq!(body(b"{\"a\":1}", "application/json"), (Some("{\"a\":1}".into()), false));
        assert_eq!(body(&[0xff, 0x00], "application/octet-stream"), (Some("/wA=".into()), true));
        assert_eq!(body(&[0xff], "text/plain"), (Some("/w==".into()), true));
    }
}
