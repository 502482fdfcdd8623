//! The full set without a kept connection to the database: each query opens its own. The cache's connection stays.

#![recursion_limit = "256"]

use ladder::serve;
use lambda_runtime::Error;
use optimized::budget::{time_budget, within};
use optimized::database::Database;
use optimized::handler::{Handler, answer};
use serde::de::IgnoredAny;
use telemetry::InStep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let telemetry = &telemetry::start();
    let handler = &telemetry::step!("configure").in_scope(Handler::from_env)?;
    let stadiums = async || {
        let settings = handler.parameters.settings().in_step(telemetry::step!("parameters")).await?;
        let query = async { Ok(Database::default().all_stadiums(&handler.login, &settings.database).await?) };
        handler.cached_or(&settings, query).await
    };
    serve::<IgnoredAny, _>(telemetry, async |context| {
        let stadiums = within(time_budget(context), stadiums()).await;
        answer(stadiums, telemetry::root_trace_id(context)).ok()
    })
    .await
}
