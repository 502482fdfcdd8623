//! A function's answer as HTTP API and function URL turn it into an HTTP response: payload format 2.0.
//!
//! Apart from the server because it is a pure mapping. AWS infers a plain 200 from JSON without `statusCode`. Invariant:
//! whatever the function sends, the client gets a complete HTTP response.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::face::Face;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    status_code: u16,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    #[serde(default)]
    cookies: Vec<String>,
    #[serde(default, borrow)]
    body: Option<Cow<'a, str>>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// The HTTP response for the function's `payload`.
pub(crate) fn response(face: Face, payload: &Bytes) -> Response<Body> {
    let response = match serde_json::from_slice::<Answer<'_>>(payload) {
        Ok(answer) => explicit(face, answer),
        Err(_) => inferred(payload),
    };
    response.unwrap_or_else(|| face.function_failed())
}

fn explicit(face: Face, answer: Answer<'_>) -> Option<Response<Body>> {
    let body = answer.body.unwrap_or_default();
    let body = if answer.is_base64_encoded {
        STANDARD.decode(body.as_bytes()).ok()?
    } else {
        body.into_owned().into_bytes()
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status_code).ok()?;
    let headers = response.headers_mut();
    for (name, value) in &answer.headers {
        let value = match value {
            Value::String(text) => HeaderValue::from_str(text),
            other => HeaderValue::from_str(&other.to_string()),
        };
        headers.append(HeaderName::from_bytes(name.as_bytes()).ok()?, value.ok()?);
    }
    for cookie in &answer.cookies {
        headers.append(header::SET_COOKIE, HeaderValue::from_str(cookie).ok()?);
    }
    if !headers.contains_key(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_TYPE, face.default_content_type());
    }
    Some(response)
}

/// JSON without a status code is a body of its own; a JSON string is sent without its quotes.
fn inferred(payload: &Bytes) -> Option<Response<Body>> {
    let value: Value = serde_json::from_slice(payload).ok()?;
    if value.get("statusCode").is_some() {
        return None;
    }
    let body = match value {
        Value::String(text) => Body::from(text),
        _ => Body::from(payload.clone()),
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Some(response)
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    async fn seen(payload: &'static str) -> (u16, String, String) {
        seen_at(Face::HttpApi, payload).await
    }

    async fn seen_at(face: Face, payload: &'static str) -> (u16, String, String) {
        let response = response(face, &Bytes::from_static(payload.as_bytes()));
        let status = response.status().as_u16();
        let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, content_type, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn explicit_answers_are_taken_at_their_word() {
        let payload =
            r#"{"statusCode":201,"headers":{"content-type":"text/x","a":1},"body":"a\"b","cookies":["c=1"]}"#;
        assert_eq!(seen(payload).await, (201, "text/x".into(), "a\"b".into()));
        let payload = r#"{"statusCode":200,"headers":{"Content-Type":"image/gif"},"body":"R0lG","isBase64Encoded":true}"#;
        assert_eq!(seen(payload).await, (200, "image/gif".into(), "GIF".into()));
    }

    #[tokio::test]
    async fn json_without_a_status_is_a_body() {
        assert_eq!(seen("\"Hello\"").await, (200, "application/json".into(), "Hello".into()));
        assert_eq!(seen("[1,2]").await, (200, "application/json".into(), "[1,2]".into()));
    }

    #[tokio::test]
    async fn nonsense_is_an_internal_server_error() {
        let error = (500, "application/json".to_owned(), r#"{"message":"Internal Server Error"}"#.to_owned());
        for payload in [
            "not json",
            r#"{"statusCode":"x"}"#,
            r#"{"statusCode":99999}"#,
            r#"{"statusCode":200,"body":"%","isBase64Encoded":true}"#,
        ] {
            assert_eq!(seen(payload).await, error, "{payload}");
            let bad_gateway = (502, "application/json".to_owned(), "Internal Server Error".to_owned());
            assert_eq!(seen_at(Face::FunctionUrl, payload).await, bad_gateway, "{payload}");
        }
    }

    #[tokio::test]
    async fn an_answer_without_a_content_type_gets_the_faces_own() {
        let payload = r#"{"statusCode":200,"body":"x"}"#;
        assert_eq!(seen(payload).await, (200, "text/plain;charset=UTF-8".into(), "x".into()));
        let seen = seen_at(Face::FunctionUrl, payload).await;
        assert_eq!(seen, (200, "application/json".into(), "x".into()));
    }
}
