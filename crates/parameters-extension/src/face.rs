//! The HTTP face: AWS's two paths, its query parameters and its token.
//!
//! Apart because it decides who is answered and what is asked for, not where values come from. The requests are built here, in
//! one order of members, so that equal questions are equal requests.
//! Invariant: nobody without the session token learns anything, and nothing is served outside the invoke phase.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};

use crate::lifecycle::Phase;
use crate::log::Log;
use crate::settings::{Settings, parse_bool};
use crate::upstream::{FetchError, Request, Service};
use crate::values::Values;

const TOKEN_HEADER: &str = "x-aws-parameters-secrets-token";

struct Face {
    values: Arc<Values>,
    phase: Phase,
    token: String,
    log: Log,
}

/// The routes of the extension; answers 400 until `phase` says that the function is invoked.
pub fn router(settings: &Settings, values: Arc<Values>, phase: Phase) -> Router {
    let face = Face { values, phase, token: settings.token.clone(), log: Log(settings.log_level) };
    Router::new()
        .route("/systemsmanager/parameters/get", get(parameter))
        .route("/secretsmanager/get", get(secret))
        .with_state(Arc::new(face))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ParameterQuery {
    name: Option<String>,
    version: Option<String>,
    label: Option<String>,
    with_decryption: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameter<'a> {
    name: &'a str,
    with_decryption: bool,
}

async fn parameter(
    State(face): State<Arc<Face>>,
    headers: HeaderMap,
    Query(query): Query<ParameterQuery>,
) -> Response {
    let name = query.name.as_deref().filter(|name| !name.is_empty());
    let with_decryption = query.with_decryption.as_deref().map_or(Some(false), parse_bool);
    let request = match (name, query.version, query.label, with_decryption) {
        (None, ..) => Err("name is missing; ask with ?name=<URL-encoded name>"),
        (_, Some(_), Some(_), _) => Err("version and label are both given; give one of them"),
        (_, _, _, None) => Err("withDecryption must be true or false"),
        (Some(name), version, label, Some(with_decryption)) => {
            // The service takes either as a suffix of the name.
            let selected = version.or(label).map(|selector| format!("{name}:{selector}"));
            let name = selected.as_deref().unwrap_or(name);
            Ok((Service::Parameters, serde_json::to_string(&GetParameter { name, with_decryption })))
        }
    };
    face.answer(&headers, request).await
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all(deserialize = "camelCase", serialize = "PascalCase"))]
struct SecretQuery {
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_stage: Option<String>,
}

async fn secret(
    State(face): State<Arc<Face>>,
    headers: HeaderMap,
    Query(query): Query<SecretQuery>,
) -> Response {
    let request = match query.secret_id.as_deref() {
        None | Some("") => Err("secretId is missing; ask with ?secretId=<URL-encoded name or ARN>"),
        Some(_) => Ok((Service::Secrets, serde_json::to_string(&query))),
    };
    face.answer(&headers, request).await
}

impl Face {
    async fn answer(
        &self,
        headers: &HeaderMap,
        request: Result<(Service, serde_json::Result<String>), &'static str>,
    ) -> Response {
        match headers.get(TOKEN_HEADER) {
            None => {
                return (StatusCode::UNAUTHORIZED, "the header X-Aws-Parameters-Secrets-Token is missing")
                    .into_response();
            }
            Some(token) if token.as_bytes() != self.token.as_bytes() => {
                return (StatusCode::FORBIDDEN, "X-Aws-Parameters-Secrets-Token is not the session token")
                    .into_response();
            }
            Some(_) => {}
        }
        if !self.phase.is_serving() {
            return (StatusCode::BAD_REQUEST, "not ready to serve traffic, please wait").into_response();
        }
        let (service, body) = match request {
            Ok((service, Ok(body))) => (service, body),
            Ok((_, Err(error))) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
            Err(complaint) => return (StatusCode::BAD_REQUEST, complaint).into_response(),
        };
        self.log.debug(format_args!("asked for {body}"));
        match self.values.get(Request { service, body: body.into() }).await {
            Ok(body) => {
                ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
            }
            Err(error) => {
                self.log.error(format_args!("{error}"));
                failure(error)
            }
        }
    }
}

fn failure(error: FetchError) -> Response {
    match error {
        FetchError::Refused { answer, .. } => {
            let mut response = (answer.status, answer.body).into_response();
            if let Some(content_type) = answer.content_type {
                response.headers_mut().insert(header::CONTENT_TYPE, content_type);
            }
            response
        }
        FetchError::TimedOut { .. } => (StatusCode::GATEWAY_TIMEOUT, error.to_string()).into_response(),
        FetchError::Unreachable { .. } | FetchError::Unusable { .. } | FetchError::Lost => {
            (StatusCode::BAD_GATEWAY, error.to_string()).into_response()
        }
    }
}
