//! Rung `lean-query`: one connection and one prepared statement of the columns that are answered, instead of pool, migrations and
//! entities. As on the rung before it (`baseline-reused`), parameters and connection are had in INIT.

#![recursion_limit = "256"]

use baseline::parameters;
use database_login::Login;
use ladder::{Failure, answer, answered, names, serve};
use lambda_runtime::Error;
use optimized::database::Database;
use serde_json::Value;
use telemetry::InStep;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let telemetry = &telemetry::start();
    let configure = || Ok::<_, Error>((names()?, Login::from_env()?));
    let (names, login) = &telemetry::step!("configure").in_scope(configure)?;
    let fetched = async { parameters::fetch(&parameters::client().await, names).await };
    let settings = &fetched.in_step(telemetry::step!("parameters")).await?;
    let database = &Database::default();
    database.connect(login, settings).await?;
    let stadiums = async || {
        let stadiums = database.all_stadiums(login, settings).await.map_err(Failure::dependency)?;
        answered(&stadiums)
    };
    serve::<Value, _>(telemetry, async |context| answer(stadiums().await, telemetry::root_trace_id(context)))
        .await
}
