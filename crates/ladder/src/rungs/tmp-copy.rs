//! Rung `tmp-copy`, beyond the article: answer and settings lie in the sandbox's temporary folder too, where a runtime that is
//! started anew in the same sandbox finds them. Only then does it earn anything: no cold or warm start of a bench sees it. The settings
//! hold the cache's password: the file is its owner's alone.

#![recursion_limit = "256"]

use std::time::SystemTime;

use ladder::memory::Memory;
use ladder::serve;
use ladder::temporary_copies::Copies;
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
    let copies = Copies::from_env()?;
    telemetry::step!("tmp.read").in_scope(|| copies.restore(&memory, &handler.parameters));
    let stadiums = async |budget| {
        if let Some(answer) = telemetry::step!("memory").in_scope(|| memory.fresh()) {
            telemetry::metric("MemoryHit", Unit::Count, 1.0);
            tracing::info!("answered from memory");
            return Ok(answer);
        }
        let answer = handler.stadiums(budget).await?;
        memory.keep(SystemTime::now(), &answer);
        telemetry::step!("tmp.write").in_scope(|| copies.save(&answer, &handler.parameters));
        Ok(answer)
    };
    serve::<IgnoredAny, _>(telemetry, async |context| {
        answer(stadiums(time_budget(context)).await, telemetry::root_trace_id(context)).ok()
    })
    .await
}
