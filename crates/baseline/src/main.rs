//! `baseline`: wires the function.

// One future holds the SDK's, the pool's and the migrations' futures, nested deeper than the default allows.
#![recursion_limit = "256"]

use baseline::handler::{Handler, answer};
use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let telemetry = &telemetry::start();
    let handler = &telemetry::step!("configure").in_scope(Handler::from_env)?;
    let service = service_fn(|event: LambdaEvent<Value>| async move {
        let context = &event.context;
        let respond = async { answer(handler.stadiums().await, telemetry::root_trace_id(context)) };
        Ok::<_, Error>(telemetry.invocation(context, respond).await)
    });
    Runtime::new(service).layer(telemetry.after_response()).run().await
}
