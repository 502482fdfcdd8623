//! `baseline-reused`: the baseline with client, parameters and pool made once, in INIT.
//!
//! What good practice alone gives, without extension, cache or lean query. Invariant: the pool never opens a connection with a
//! token older than ten minutes; tokens open none after fifteen.

use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use baseline::database::{self, DatabaseError};
use baseline::handler::{Handler, HandlerError, answer};
use baseline::parameters;
use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde_json::Value;
use sqlx::PgPool;
use stadium_core::{Answer, DatabaseSettings};
use telemetry::InStep;

const TOKEN_RENEWAL: Duration = Duration::from_secs(600);

struct Reused {
    handler: Handler,
    settings: DatabaseSettings,
    pool: PgPool,
    signed: Mutex<SystemTime>,
}

impl Reused {
    async fn start() -> Result<Self, Error> {
        let handler = telemetry::step!("configure").in_scope(Handler::from_env)?;
        let settings = async {
            let client = parameters::client().await;
            parameters::fetch(&client, &handler.names).await
        };
        let settings = settings.in_step(telemetry::step!("parameters")).await?;
        let signed = Mutex::new(SystemTime::now());
        let options = database::login_options(&handler.login, &settings)?;
        let pool = database::connect(options).in_step(telemetry::step!("db.connect")).await?;
        handler.migrations.check(&pool).in_step(telemetry::step!("db.migrate")).await?;
        Ok(Self { handler, settings, pool, signed })
    }

    async fn stadiums(&self) -> Result<Answer, HandlerError> {
        self.renew_token()?;
        self.handler.stadiums_from(&self.pool).await
    }

    /// Gives the pool a fresh token for connections it may open from now on.
    fn renew_token(&self) -> Result<(), DatabaseError> {
        let mut signed = self.signed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // By the wall clock, which goes on while the sandbox is frozen; a clock set back renews too.
        if signed.elapsed().is_ok_and(|age| age < TOKEN_RENEWAL) {
            return Ok(());
        }
        self.pool.set_connect_options(database::login_options(&self.handler.login, &self.settings)?);
        *signed = SystemTime::now();
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let telemetry = &telemetry::start();
    let reused = &Reused::start().await?;
    let service = service_fn(|event: LambdaEvent<Value>| async move {
        let context = &event.context;
        let respond = async { answer(reused.stadiums().await, telemetry::root_trace_id(context)) };
        Ok::<_, Error>(telemetry.invocation(context, respond).await)
    });
    Runtime::new(service).layer(telemetry.after_response()).run().await
}
