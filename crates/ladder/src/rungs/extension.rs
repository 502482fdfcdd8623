//! Rung `extension`: parameters from the extension instead of the SDK. It serves no earlier than the first invocation, so the
//! connection to the database is made there too. What it costs: Lambda tells it of every event, and an invocation lasts until it has
//! asked for the next one.

#![recursion_limit = "256"]

use database_login::Login;
use ladder::{Failure, answer, answered, names, serve};
use lambda_runtime::Error;
use optimized::database::Database;
use optimized::parameters::Parameters;
use serde_json::Value;
use telemetry::InStep;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let telemetry = &telemetry::start();
    let configure = || Ok::<_, Error>((Parameters::from_env(names()?)?, Login::from_env()?));
    let (parameters, login) = &telemetry::step!("configure").in_scope(configure)?;
    let database = &Database::default();
    let stadiums = async || {
        let settings = parameters.settings().in_step(telemetry::step!("parameters")).await;
        let settings = &settings.map_err(Failure::dependency)?.database;
        let stadiums = database.all_stadiums(login, settings).await.map_err(Failure::dependency)?;
        answered(&stadiums)
    };
    serve::<Value, _>(telemetry, async |context| answer(stadiums().await, telemetry::root_trace_id(context)))
        .await
}
