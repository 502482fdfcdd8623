//! `optimized`: wires the function.

// One future holds the cache's, the database's and the extension client's futures, nested deeper than the default allows.
#![recursion_limit = "256"]

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use optimized::budget::time_budget;
use optimized::handler::{Handler, answer};
use serde::de::IgnoredAny;

// Below 1,769 MB a function has less than one processor: a second thread would only take turns with the first.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let telemetry = &telemetry::start();
    let handler = &telemetry::step!("configure").in_scope(Handler::from_env)?;
    let service = service_fn(|event: LambdaEvent<IgnoredAny>| async move {
        let context = &event.context;
        let respond = async {
            let answered = handler.stadiums(time_budget(context)).await;
            answer(answered, telemetry::root_trace_id(context))
        };
        Ok::<_, Error>(telemetry.invocation(context, respond).await?)
    });
    Runtime::new(service).layer(telemetry.after_response()).run().await
}
