//! The baseline, and then busy work for a tenth of the time that its handler took: a copy that is known to be slower, for the verdict
//! to find.
//!
//! Of the wall clock's time, in a sandbox with a whole processor: below one, the quota's periods of 20 ms decide how long an
//! invocation lasts, and a tenth more work may cost nothing or a whole period.

#![recursion_limit = "256"]

use std::time::Instant;

use baseline::handler::{Handler, answer};
use ladder::serve;
use lambda_runtime::Error;
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let telemetry = &telemetry::start();
    let handler = &telemetry::step!("configure").in_scope(Handler::from_env)?;
    serve::<Value, _>(telemetry, async |context| {
        let begun = Instant::now();
        let answer = answer(handler.stadiums().await, telemetry::root_trace_id(context));
        let enough = begun.elapsed().mul_f64(1.1);
        while begun.elapsed() < enough {
            std::hint::spin_loop();
        }
        answer
    })
    .await
}
