//! An HTTP request as HTTP API and function URL hand it to Lambda: payload format 2.0.
//!
//! Apart from the server because it is a pure mapping, with AWS's rules for names, cookies, bodies and times:
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>. Invariant: the event has
//! what the request had, nothing is invented but the ids.

use std::collections::BTreeMap;
use std::net::IpAddr;

use axum::http::{HeaderMap, Method};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;

use super::face::Face;

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

/// What the front adds to it.
pub(crate) struct Context<'a> {
    pub(crate) face: Face,
    pub(crate) function: &'a str,
    /// The front's own id of the request.
    pub(crate) request_id: &'a str,
    /// The trace header as it is passed on.
    pub(crate) trace_header: &'a str,
    pub(crate) now: Timestamp,
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
    api_id: &'a str,
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

/// The event's JSON for `request`.
///
/// # Errors
/// None that valid HTTP can cause; serialisation is reported rather than assumed.
pub(crate) fn event(request: &HttpRequest<'_>, context: &Context<'_>) -> Result<Vec<u8>, serde_json::Error> {
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let cookies = header("cookie").split("; ").filter(|cookie| !cookie.is_empty()).collect();
    let mut headers = joined_headers(request.headers);
    headers.remove("cookie");
    let domain = header("host");
    let port = domain.rsplit_once(':').map_or("80", |(_, port)| port);
    headers.insert("x-amzn-trace-id", context.trace_header.to_owned());
    // The address is appended to what proxies before it wrote.
    let source_ip = request.source_ip.to_string();
    headers
        .entry("x-forwarded-for")
        .and_modify(|proxies| {
            proxies.push_str(", ");
            proxies.push_str(&source_ip);
        })
        .or_insert_with(|| source_ip.clone());
    headers.insert("x-forwarded-port", port.to_owned());
    headers.insert("x-forwarded-proto", "http".to_owned());
    let (body, is_base64_encoded) = body(request.body, header("content-type"));
    let api_id = context.face.api_id(context.function);
    let first_label = domain.split(['.', ':']).next().unwrap_or(domain);
    serde_json::to_vec(&Event {
        version: "2.0",
        route_key: "$default",
        raw_path: request.path,
        raw_query_string: request.query,
        cookies,
        headers,
        query_string_parameters: query_parameters(request.query),
        request_context: RequestContext {
            account_id: context.face.account_id(),
            api_id,
            domain_name: domain,
            domain_prefix: match context.face {
                Face::HttpApi => first_label,
                Face::FunctionUrl => api_id,
            },
            http: Http {
                method: request.method.as_str(),
                path: request.path,
                protocol: "HTTP/1.1",
                source_ip,
                user_agent: header("user-agent"),
            },
            request_id: context.request_id,
            route_key: "$default",
            stage: "$default",
            time: context.now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            time_epoch: context.now.as_millisecond(),
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

    fn mapped(face: Face, request: &HttpRequest<'_>) -> Value {
        let now = "2020-03-12T19:03:58Z".parse().unwrap();
        let context = Context { face, function: "hello", request_id: "id=", trace_header: "Root=1-a-b", now };
        serde_json::from_slice(&event(request, &context).unwrap()).unwrap()
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
        let event = mapped(Face::HttpApi, &request);
        assert_eq!(event["version"], "2.0");
        assert_eq!(event["cookies"], json!(["cookie1=a", "cookie2=b"]));
        assert_eq!(event["headers"]["header2"], "value1,value2");
        assert_eq!(event["headers"].get("cookie"), None);
        assert_eq!(event["queryStringParameters"], json!({"parameter1": "value1,value 2", "parameter2": ""}));
        assert_eq!(event["requestContext"]["time"], "12/Mar/2020:19:03:58 +0000");
        assert_eq!(event["requestContext"]["timeEpoch"], 1_584_039_838_000_i64);
        assert_eq!(event["requestContext"]["domainPrefix"], "api");
        assert_eq!(event.get("body"), None);
        assert_eq!(event["requestContext"]["accountId"], "123456789012");
        let ports = (&event["headers"]["x-forwarded-port"], &event["headers"]["x-forwarded-for"]);
        assert_eq!(ports, (&json!("80"), &json!("192.0.2.1")));

        let event = mapped(Face::FunctionUrl, &request);
        let context = &event["requestContext"];
        assert_eq!((&context["accountId"], &context["apiId"]), (&json!("anonymous"), &json!("hello")));
        assert_eq!((&context["domainPrefix"], &context["stage"]), (&json!("hello"), &json!("$default")));
    }

    #[test]
    fn the_address_is_appended_to_what_proxies_wrote() {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("localhost:8080"));
        headers.insert("x-forwarded-for", HeaderValue::from_static("203.0.113.7"));
        let source_ip = [192, 0, 2, 1].into();
        let request = HttpRequest {
            method: &Method::GET,
            path: "/",
            query: "",
            headers: &headers,
            source_ip,
            body: b"",
        };
        let event = mapped(Face::HttpApi, &request);
        assert_eq!(event["headers"]["x-forwarded-for"], "203.0.113.7, 192.0.2.1");
        assert_eq!(event["headers"]["x-forwarded-port"], "8080");
    }

    #[test]
    fn passes_text_as_it_is_and_other_bodies_in_base64() {
        assert_eq!(body(b"{\"a\":1}", "application/json"), (Some("{\"a\":1}".into()), false));
        assert_eq!(body(&[0xff, 0x00], "application/octet-stream"), (Some("/wA=".into()), true));
        assert_eq!(body(&[0xff], "text/plain"), (Some("/w==".into()), true));
    }
}
