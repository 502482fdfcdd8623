//! The process that is measured: a function's telemetry without a function.
//!
//! Apart because it must not share a process with the daemon. Invariant: it uses telemetry as the shipped functions do, through
//! its public interface, and with the steps of the optimized function's warm path.

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::tower::{Layer, Service};
use lambda_runtime::{Config, Context, LambdaInvocation, service_fn};
use nix::time::{ClockId, clock_gettime};
use telemetry::{InStep, Telemetry, Unit};

use crate::{Error, Mode};

/// So that the daemon's socket, which holds a few hundred datagrams, is never full; its sleep is not the thread's CPU time.
const BURST: u64 = 20;

/// `## handler`, `parameters`, `cache.get` for each, and `## init`, `configure` once.
pub(crate) fn datagrams(invocations: u64) -> u64 {
    3 * (invocations + WARM_UP) + 2
}

const WARM_UP: u64 = 100;

pub(crate) fn run(mode: &str, invocations: &str) -> Result<(), Error> {
    let mode = Mode::ALL
        .into_iter()
        .find(|known| known.name() == mode)
        .ok_or_else(|| format!("`{mode}` is no mode"))?;
    let invocations: u64 = invocations.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let cpu = runtime.block_on(invoke(mode, invocations))?;
    eprintln!("{}", cpu.as_secs_f64() * 1e6 / invocations as f64);
    Ok(())
}

async fn invoke(mode: Mode, invocations: u64) -> Result<Duration, Error> {
    let telemetry = telemetry::start();
    telemetry::step!("configure").in_scope(|| ());
    let layer = telemetry.after_response();
    let mut service = layer.layer(service_fn(|invocation: LambdaInvocation| answer(&telemetry, invocation)));
    let mut cpu = Duration::ZERO;
    for count in 0..invocations + WARM_UP {
        let invocation = invocation(mode);
        let begun = thread_cpu()?;
        service.call(invocation).await?;
        if count >= WARM_UP {
            cpu += thread_cpu()?.saturating_sub(begun);
        }
        if count % BURST == 0 && mode == Mode::Sampled {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    Ok(cpu)
}

/// What the optimized function tells telemetry on its warm path.
async fn answer(telemetry: &Telemetry, invocation: LambdaInvocation) -> Result<(), Error> {
    let handler = async {
        let settings = async { Ok::<_, std::fmt::Error>(7) }.in_step(telemetry::step!("parameters")).await?;
        let answer =
            async { Ok::<_, std::fmt::Error>(settings) }.in_step(telemetry::step!("cache.get")).await?;
        telemetry::metric("CacheHit", Unit::Count, 1.0);
        tracing::info!("answered from the cache");
        Ok::<_, Error>(answer)
    };
    telemetry.invocation(&invocation.context, handler).await?;
    Ok(())
}

fn invocation(mode: Mode) -> LambdaInvocation {
    let sampled = u8::from(mode == Mode::Sampled);
    let config = Config { function_name: "optimized".to_owned(), memory: 1024, ..Config::default() };
    let mut context = Context::default();
    context.request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned();
    context.invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:optimized".to_owned();
    let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=";
    context.xray_trace_id = Some(format!("{header}{sampled};Lineage=1:a87bd80c:0"));
    context.env_config = Arc::new(config);
    let (parts, ()) = http::Response::new(()).into_parts();
    LambdaInvocation { parts, body: bytes::Bytes::new(), context }
}

fn thread_cpu() -> Result<Duration, Error> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}
