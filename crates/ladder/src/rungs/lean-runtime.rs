//! Rung `lean-runtime`: one thread, since the sandbox has less than one processor; the event is skipped, not parsed; and the time-out
//! bounds the request. What optimized's `main` has over baseline's.

#![recursion_limit = "256"]

use database_login::Login;
use ladder::{Failure, answer, answered, names, serve};
use lambda_runtime::Error;
use optimized::budget::{time_budget, within};
use optimized::database::Database;
use optimized::parameters::Parameters;
use serde::de::IgnoredAny;
use telemetry::InStep;

#[tokio::main(flavor = "current_thread")]
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
    serve::<IgnoredAny, _>(telemetry, async |context| {
        let stadiums = within(time_budget(context), stadiums()).await;
        answer(stadiums, telemetry::root_trace_id(context))
    })
    .await
}
