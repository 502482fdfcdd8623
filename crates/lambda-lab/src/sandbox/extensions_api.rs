//! The Extensions API, `/2020-01-01/extension`, as one sandbox's extensions see it.
//!
//! Apart from the Runtime API because its callers, ids and refusals are others. Invariant: an extension registers before INIT
//! is over or not at all, and gets each event once.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::runtime_api::refused;
use super::state::{Ended, Extension, ExtensionEvent, Inner, State};
use crate::function::ACCOUNT;

/// Lambda's limit of extensions in one sandbox.
const MAX_EXTENSIONS: usize = 10;

/// What the registration answer tells about the function.
#[derive(Clone, Debug)]
pub(super) struct FunctionFacts {
    pub(super) name: String,
    pub(super) handler: String,
}

#[derive(Clone)]
struct Api {
    state: Arc<State>,
    function: Arc<FunctionFacts>,
}

pub(super) fn router(state: Arc<State>, function: FunctionFacts) -> Router {
    Router::new()
        .route("/2020-01-01/extension/register", post(register))
        .route("/2020-01-01/extension/event/next", get(next))
        .route("/2020-01-01/extension/init/error", post(init_error))
        .route("/2020-01-01/extension/exit/error", post(exit_error))
        .with_state(Api { state, function: Arc::new(function) })
}

#[derive(Deserialize)]
struct Registration {
    #[serde(default)]
    events: Vec<String>,
}

async fn register(Shared(api): Shared<Api>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let name = headers.get("lambda-extension-name").and_then(|name| name.to_str().ok()).unwrap_or("");
    if name.is_empty() {
        return forbidden("Extension.InvalidExtensionName", "Lambda-Extension-Name is missing or empty");
    }
    let Ok(registration) = serde_json::from_slice::<Registration>(&body) else {
        return forbidden(
            "InvalidRequestFormat",
            "expected a body such as {\"events\":[\"INVOKE\",\"SHUTDOWN\"]}",
        );
    };
    if let Some(event) =
        registration.events.iter().find(|event| !matches!(event.as_str(), "INVOKE" | "SHUTDOWN"))
    {
        let message = format!("{event}: expected INVOKE or SHUTDOWN");
        return forbidden("Extension.InvalidEventType", &message);
    }
    let wants = |event: &str| registration.events.iter().any(|wanted| wanted == event);
    let extension = Extension {
        id: Uuid::new_v4(),
        name: name.to_owned(),
        wants_invoke: wants("INVOKE"),
        wants_shutdown: wants("SHUTDOWN"),
        asked: None,
        pending: None,
    };
    let id = extension.id;
    match api.state.change(|inner| admit(inner, extension)) {
        Ok(()) => {
            let mut facts = json!({
                "functionName": api.function.name,
                "functionVersion": "$LATEST",
                "handler": api.function.handler,
            });
            if accepts(&headers, "accountId") {
                facts["accountId"] = ACCOUNT.into();
            }
            ([("lambda-extension-identifier", id.to_string())], Json(facts)).into_response()
        }
        Err((error_type, message)) => forbidden(error_type, &message),
    }
}

/// Whether the caller named `feature` in `Lambda-Extension-Accept-Feature`, a list with commas.
fn accepts(headers: &HeaderMap, feature: &str) -> bool {
    let accepted = headers.get("lambda-extension-accept-feature").and_then(|value| value.to_str().ok());
    accepted.is_some_and(|list| list.split(',').any(|accepted| accepted.trim() == feature))
}

fn admit(inner: &mut Inner, extension: Extension) -> Result<(), (&'static str, String)> {
    if inner.initialized {
        return Err(("Extension.RegistrationClosed", "Extension registration closed already".to_owned()));
    }
    if inner.extensions.iter().any(|known| known.name == extension.name) {
        let message = format!(
            "State transition from Registered to Registered failed for extension {}. Error: State transition is not allowed",
            extension.name
        );
        return Err(("Extension.InvalidExtensionState", message));
    }
    if inner.extensions.len() >= MAX_EXTENSIONS {
        let message = format!("Extension limit ({MAX_EXTENSIONS}) reached");
        return Err(("Extension.TooManyExtensions", message));
    }
    let internal = !inner.launched_extensions.contains(&extension.name);
    if internal && extension.wants_shutdown {
        let message = "an internal extension may not take SHUTDOWN".to_owned();
        return Err(("Extension.InvalidEventType", message));
    }
    inner.extensions.push(extension);
    Ok(())
}

fn forbidden(error_type: &str, message: &str) -> Response<Body> {
    refused(StatusCode::FORBIDDEN, error_type, message)
}

/// The caller's id, if it is one of this sandbox's extensions.
fn identified(api: &Api, headers: &HeaderMap) -> Result<Uuid, Box<Response<Body>>> {
    let Some(value) = headers.get("lambda-extension-identifier") else {
        let message = "Missing Lambda-Extension-Identifier header";
        return Err(Box::new(forbidden("Extension.MissingExtensionIdentifier", message)));
    };
    let Some(id) = value.to_str().ok().and_then(|text| Uuid::parse_str(text).ok()) else {
        let message = "Invalid Lambda-Extension-Identifier";
        return Err(Box::new(forbidden("Extension.InvalidExtensionIdentifier", message)));
    };
    if api.state.change(|inner| inner.extensions.iter().any(|extension| extension.id == id)) {
        return Ok(id);
    }
    let message = format!("Unknown extension {id}");
    Err(Box::new(forbidden("Extension.UnknownExtensionIdentifier", &message)))
}

async fn next(Shared(api): Shared<Api>, headers: HeaderMap) -> Response<Body> {
    let id = match identified(&api, &headers) {
        Ok(id) => id,
        Err(refusal) => return *refusal,
    };
    api.state.change(|inner| {
        if let Some(extension) = find(inner, id) {
            extension.asked = Some(Instant::now());
        }
    });
    let event = api
        .state
        .wait_for(|inner| {
            let extension = find(inner, id)?;
            let event = extension.pending.take()?;
            extension.asked = None;
            Some(event)
        })
        .await;
    let identifier = [("lambda-extension-event-identifier", Uuid::new_v4().to_string())];
    (identifier, Json(render(&event))).into_response()
}

fn find(inner: &mut Inner, id: Uuid) -> Option<&mut Extension> {
    inner.extensions.iter_mut().find(|extension| extension.id == id)
}

fn render(event: &ExtensionEvent) -> Value {
    match event {
        ExtensionEvent::Invoke(event) => json!({
            "eventType": "INVOKE",
            "deadlineMs": event.deadline_unix_ms,
            "requestId": event.request_id,
            "invokedFunctionArn": event.function_arn,
            "tracing": { "type": "X-Amzn-Trace-Id", "value": event.trace_header },
        }),
        ExtensionEvent::Shutdown { reason, deadline_unix_ms } => json!({
            "eventType": "SHUTDOWN",
            "shutdownReason": reason,
            "deadlineMs": deadline_unix_ms,
        }),
    }
}

async fn init_error(Shared(api): Shared<Api>, headers: HeaderMap, payload: Bytes) -> Response<Body> {
    fail(&api, &headers, &payload, "Extension.InitError")
}

async fn exit_error(Shared(api): Shared<Api>, headers: HeaderMap, payload: Bytes) -> Response<Body> {
    fail(&api, &headers, &payload, "Extension.ExitError")
}

/// The extension gives up, and the sandbox with it.
fn fail(api: &Api, headers: &HeaderMap, payload: &Bytes, fatal: &str) -> Response<Body> {
    if let Err(refusal) = identified(api, headers) {
        return *refusal;
    }
    let error_type =
        headers.get("lambda-extension-function-error-type").and_then(|value| value.to_str().ok());
    let Some(error_type) = error_type else {
        return forbidden("Extension.MissingHeader", "Lambda-Extension-Function-Error-Type header not found");
    };
    let message = format!("{error_type}: {}", String::from_utf8_lossy(payload));
    api.state.end(Ended::new(fatal, message));
    (StatusCode::ACCEPTED, Json(json!({ "status": "OK" }))).into_response()
}
