//! The full set without the extension: the SDK fetches the parameters, in INIT. Connections are still made on first use, as in the
//! full set, so that nothing else differs.

#![recursion_limit = "256"]

use baseline::parameters;
use ladder::{names, serve};
use lambda_runtime::Error;
use optimized::budget::{time_budget, within};
use optimized::database::Database;
use optimized::handler::{Handler, answer};
use optimized::parameters::Settings;
use serde::de::IgnoredAny;
use telemetry::InStep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let telemetry = &telemetry::start();
    let configure = || Ok::<_, Error>((names()?, Handler::from_env()?));
    let (names, handler) = &telemetry::step!("configure").in_scope(configure)?;
    let fetched =
        async { parameters::fetch_values(&parameters::client().await, Settings::names(names)).await };
    let settings = &Settings::parse(names, &fetched.in_step(telemetry::step!("parameters")).await?)?;
    let database = &Database::default();
    serve::<IgnoredAny, _>(telemetry, async |context| {
        let query = async { Ok(database.all_stadiums(&handler.login, &settings.database).await?) };
        let stadiums = within(time_budget(context), handler.cached_or(settings, query)).await;
        answer(stadiums, telemetry::root_trace_id(context)).ok()
    })
    .await
}
