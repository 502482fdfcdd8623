//! Rung `parameters-in-init`: the SDK fetches the parameters once, in INIT; pool and token are still each invocation's own.

#![recursion_limit = "256"]

use baseline::handler::{Handler, answer};
use baseline::parameters;
use ladder::serve;
use lambda_runtime::Error;
use serde_json::Value;
use telemetry::InStep;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let telemetry = &telemetry::start();
    let handler = &telemetry::step!("configure").in_scope(Handler::from_env)?;
    let client = &parameters::client().await;
    let fetched = parameters::fetch(client, &handler.names);
    let settings = &fetched.in_step(telemetry::step!("parameters")).await?;
    serve::<Value, _>(telemetry, async |context| {
        answer(handler.stadiums_at(settings).await, telemetry::root_trace_id(context))
    })
    .await
}
