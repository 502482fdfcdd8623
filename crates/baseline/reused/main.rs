//! `baseline-reused`: the baseline with client, parameters and pool made once, in INIT.
//!
//! What good practice alone gives, without extension, cache or lean query. Invariant: an invocation opens no connection while the
//! kept one lives.

use baseline::handler::{Handler, HandlerError, answer};
use baseline::parameters;
use baseline::reused::KeptPool;
use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde_json::Value;
use stadium_core::Answer;
use telemetry::InStep;

struct Reused {
    handler: Handler,
    kept: KeptPool,
}

impl Reused {
    async fn start() -> Result<Self, Error> {
        let handler = telemetry::step!("configure").in_scope(Handler::from_env)?;
        let settings = async {
            let client = parameters::client().await;
            parameters::fetch(&client, &handler.names).await
        };
        let settings = settings.in_step(telemetry::step!("parameters")).await?;
        let connected = KeptPool::connect(handler.login.clone(), settings);
        let kept = connected.in_step(telemetry::step!("db.connect")).await?;
        handler.migrations.check(kept.pool()?).in_step(telemetry::step!("db.migrate")).await?;
        Ok(Self { handler, kept })
    }

    async fn stadiums(&self) -> Result<Answer, HandlerError> {
        self.handler.stadiums_from(self.kept.pool()?).await
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
