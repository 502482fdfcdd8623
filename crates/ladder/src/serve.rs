//! The wiring that all rungs share: an event, an invocation's telemetry, an answer.
//!
//! Apart from the rungs because no lever is here but one: what the event is read as, which each rung names. Invariant: an
//! invocation never fails; what went wrong is in its answer.

use lambda_runtime::{Context, Error, LambdaEvent, Runtime, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use stadium_core::{ParameterNames, SettingsError};
use telemetry::Telemetry;

/// Answers each event with `respond`, until Lambda ends the process.
///
/// # Errors
/// Only what the runtime itself cannot go on from.
pub async fn serve<Event: DeserializeOwned, Answer: Serialize>(
    telemetry: &Telemetry,
    respond: impl AsyncFn(&Context) -> Answer,
) -> Result<(), Error> {
    let respond = &respond;
    let service = service_fn(|event: LambdaEvent<Event>| async move {
        Ok::<_, Error>(telemetry.invocation(&event.context, respond(&event.context)).await)
    });
    Runtime::new(service).layer(telemetry.after_response()).run().await
}

/// The names of our parameters, under `PARAMETER_PREFIX`.
///
/// # Errors
/// A prefix that is no parameter path.
pub fn names() -> Result<ParameterNames, SettingsError> {
    ParameterNames::from_env_value(std::env::var("PARAMETER_PREFIX").ok().as_deref())
}
