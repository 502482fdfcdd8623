//! Rung `sandbox-memory`, beyond the article: the finished answer is kept in the sandbox's own memory too, for the same ten seconds.

#![recursion_limit = "256"]

use std::time::SystemTime;

use ladder::memory::Memory;
use ladder::serve;
use lambda_runtime::Error;
use optimized::budget::time_budget;
use optimized::cache::TTL;
use optimized::handler::{Handler, answer};
use serde::de::IgnoredAny;
use telemetry::Unit;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let telemetry = &telemetry::start();
    let handler = &telemetry::step!("configure").in_scope(Handler::from_env)?;
    let memory = Memory::new(TTL);
    let stadiums = async |budget| {
        if let Some(answer) = telemetry::step!("memory").in_scope(|| memory.fresh()) {
            telemetry::metric("MemoryHit", Unit::Count, 1.0);
            tracing::info!("answered from memory");
            return Ok(answer);
        }
        let answer = handler.stadiums(budget).await?;
        memory.keep(SystemTime::now(), &answer);
        Ok(answer)
    };
    serve::<IgnoredAny, _>(telemetry, async |context| {
        answer(stadiums(time_budget(context)).await, telemetry::root_trace_id(context)).ok()
    })
    .await
}
