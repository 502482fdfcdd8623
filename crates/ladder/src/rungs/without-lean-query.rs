//! The full set without the lean query: the baseline's pool, migrations and entities, kept, behind the cache.

#![recursion_limit = "256"]

use baseline::database::{self, DatabaseError, Migrations};
use baseline::reused::KeptPool;
use ladder::serve;
use lambda_runtime::Error;
use optimized::budget::{time_budget, within};
use optimized::database as lean;
use optimized::handler::{Handler, HandlerError, answer};
use serde::de::IgnoredAny;
use stadium_core::{DatabaseSettings, Stadium};
use telemetry::InStep;
use tokio::sync::OnceCell;

/// Opened by the first query.
#[derive(Default)]
struct Entities {
    kept: OnceCell<KeptPool>,
    migrations: Migrations,
}

impl Entities {
    async fn all(
        &self,
        handler: &Handler,
        settings: &DatabaseSettings,
    ) -> Result<Vec<Stadium>, DatabaseError> {
        let connect = || {
            let connected = KeptPool::connect(handler.login.clone(), settings.clone());
            connected.in_step(telemetry::step!("db.connect"))
        };
        let pool = self.kept.get_or_try_init(connect).await?.pool()?;
        let query = async {
            self.migrations.check(pool).await?;
            database::all_stadiums(pool).await
        };
        query.in_step(telemetry::step!("db.query")).await
    }
}

/// The same failure in the lean query's words.
fn told(error: DatabaseError) -> HandlerError {
    HandlerError::Database(match error {
        DatabaseError::Login(error) => lean::DatabaseError::Login(error),
        DatabaseError::Migrations(error) => lean::DatabaseError::Query(error.into()),
        DatabaseError::Query(error) => lean::DatabaseError::Query(error),
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let telemetry = &telemetry::start();
    let handler = &telemetry::step!("configure").in_scope(Handler::from_env)?;
    let entities = &Entities::default();
    let stadiums = async || {
        let settings = handler.parameters.settings().in_step(telemetry::step!("parameters")).await?;
        let query = async { entities.all(handler, &settings.database).await.map_err(told) };
        handler.cached_or(&settings, query).await
    };
    serve::<IgnoredAny, _>(telemetry, async |context| {
        let stadiums = within(time_budget(context), stadiums()).await;
        answer(stadiums, telemetry::root_trace_id(context)).ok()
    })
    .await
}
