//! The control port: how the bench declares the state it measures from.
//!
//! Apart from the HTTP API, whose clients are the functions' users. Words and types in [`crate::control`]. Invariant: only the
//! holder of the run's token is heard.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::control::{Counters, Refused, Retired};
use crate::http_api::Fleets;
use crate::lab::Setup;
use crate::secrets::SecretsEndpoint;
use crate::services::{ServiceCounters, Services};
use crate::ssm::SsmEndpoint;

/// What the control port reaches.
pub(crate) struct Controlled {
    pub(crate) token: String,
    pub(crate) fleets: Fleets,
    /// Runs the experiment's setup functions.
    pub(crate) setup: Setup,
    /// None where the experiment needs no servers.
    pub(crate) services: Option<Arc<Services>>,
    pub(crate) ssm: Arc<SsmEndpoint>,
    pub(crate) secrets: SecretsEndpoint,
    /// Rung by `POST /stop`.
    pub(crate) stop: Arc<Notify>,
}

type Shared = State<Arc<Controlled>>;

/// Serves the control port on `listener` until the task is aborted.
pub(crate) fn serve(listener: TcpListener, controlled: Arc<Controlled>) -> JoinHandle<()> {
    let router = Router::new()
        .route("/retire/{function}", post(retire))
        .route("/cache/flush", post(flush_cache))
        .route("/setup", post(setup))
        .route("/counters", get(counters))
        .route("/stop", post(stop))
        .layer(middleware::from_fn_with_state(Arc::clone(&controlled), authorize))
        .with_state(controlled);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            eprintln!("lambda-lab: the control port failed: {error}");
        }
    })
}

fn refused(status: StatusCode, message: String) -> Response {
    (status, Json(Refused { message })).into_response()
}

async fn authorize(State(controlled): Shared, request: Request, next: Next) -> Response {
    let expected = format!("Bearer {}", controlled.token);
    let given = request.headers().get(header::AUTHORIZATION);
    if given.is_some_and(|given| given.as_bytes() == expected.as_bytes()) {
        return next.run(request).await;
    }
    let message = "authorization: expected `Bearer <token>` with the token of the lab's ready line";
    refused(StatusCode::UNAUTHORIZED, message.to_owned())
}

async fn retire(State(controlled): Shared, Path(function): Path<String>) -> Response {
    let Some(fleet) = controlled.fleets.get(&function) else {
        let known = controlled.fleets.keys().cloned().collect::<Vec<_>>().join(", ");
        let message = format!("there is no function {function:?}; the lab serves: {known}");
        return refused(StatusCode::NOT_FOUND, message);
    };
    let sandboxes = fleet.retire().await;
    match fleet.provision().await {
        Ok(()) => Json(Retired { sandboxes }).into_response(),
        Err(failure) => {
            let message = format!("{function}: a provisioned sandbox failed in INIT: {failure}");
            refused(StatusCode::INTERNAL_SERVER_ERROR, message)
        }
    }
}

async fn flush_cache(State(controlled): Shared) -> Response {
    let flushed = match &controlled.services {
        Some(services) => services.flush_cache().await,
        None => Ok(()),
    };
    match flushed {
        Ok(()) => Json(serde_json::json!({})).into_response(),
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

/// The setup functions once more, then the database as nothing had ever been written twice.
async fn setup(State(controlled): Shared) -> Response {
    if let Err(error) = controlled.setup.run().await {
        return refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
    }
    let tidied = match &controlled.services {
        Some(services) => services.tidy_database().await,
        None => Ok(()),
    };
    match tidied {
        Ok(()) => Json(serde_json::json!({})).into_response(),
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

async fn counters(State(controlled): Shared) -> Response {
    let counted = match &controlled.services {
        Some(services) => services.counters().await,
        None => Ok(ServiceCounters::default()),
    };
    match counted {
        Ok(ServiceCounters { pgbouncer, redis }) => {
            let (ssm, secrets) = (controlled.ssm.counters(), controlled.secrets.counters());
            Json(Counters { ssm, secrets, pgbouncer, redis }).into_response()
        }
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

async fn stop(State(controlled): Shared) -> Response {
    controlled.stop.notify_one();
    (StatusCode::ACCEPTED, Json(serde_json::json!({}))).into_response()
}
