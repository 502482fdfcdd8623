//! The full set without the lean runtime: as many threads as processors, and the event parsed, as the baseline's `main` has it.

#![recursion_limit = "256"]

use ladder::serve;
use lambda_runtime::Error;
use optimized::budget::time_budget;
use optimized::handler::{Handler, answer};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let telemetry = &telemetry::start();
    let handler = &telemetry::step!("configure").in_scope(Handler::from_env)?;
    serve::<Value, _>(telemetry, async |context| {
        answer(handler.stadiums(time_budget(context)).await, telemetry::root_trace_id(context)).ok()
    })
    .await
}
