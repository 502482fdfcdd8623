//! Rung `cache-aside`: Redis holds the rows as JSON for ten seconds; the answer is still built around them.

#![recursion_limit = "256"]

use database_login::Login;
use ladder::{Failure, answer, answered, names, serve};
use lambda_runtime::Error;
use optimized::budget::{time_budget, within};
use optimized::cache::{CacheAside, Entry, cached};
use optimized::database::Database;
use optimized::parameters::Parameters;
use serde::de::IgnoredAny;
use stadium_core::Answer;
use telemetry::{InStep, Unit};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let telemetry = &telemetry::start();
    let configure = || Ok::<_, Error>((names()?, Login::from_env()?));
    let (names, login) = telemetry::step!("configure").in_scope(configure)?;
    let cache = CacheAside::new(Entry { key: format!("{}/body/v1", names.prefix()), begins: "[{\"name\":" });
    let (parameters, database) = (&Parameters::from_env(names)?, &Database::default());
    let stadiums = async || {
        let settings = parameters.settings().in_step(telemetry::step!("parameters")).await;
        let settings = settings.map_err(Failure::dependency)?;
        let cache = cache.connected(&settings.cache, login.roots()).await;
        if let Some(body) = cached(cache.as_deref()).await {
            telemetry::metric("CacheHit", Unit::Count, 1.0);
            tracing::info!("answered from the cache");
            return Ok(Answer::json(Box::<str>::from(body).into_string()));
        }
        telemetry::metric("CacheMiss", Unit::Count, 1.0);
        let queried = database.all_stadiums(&login, &settings.database).await;
        let answer = answered(&queried.map_err(Failure::dependency)?)?;
        if let Some(cache) = cache
            && let Err(error) = cache.set(&answer.body).in_step(telemetry::step!("cache.set")).await
        {
            tracing::warn!(%error, "the rows were not cached");
        }
        Ok::<_, Failure>(answer)
    };
    serve::<IgnoredAny, _>(telemetry, async |context| {
        let stadiums = within(time_budget(context), stadiums()).await;
        answer(stadiums, telemetry::root_trace_id(context))
    })
    .await
}
