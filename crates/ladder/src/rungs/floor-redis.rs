//! The floor with a network in it: `lambda_runtime` and one bare Redis GET of the same bytes. No telemetry, no settings to fetch, no
//! limits, no problem documents: what no function with a shared cache can go below.
//!
//! Reads `CACHE_HOST`, `CACHE_PORT`, `CACHE_PASSWORD` and `TLS_CA_BUNDLE`.

use database_login::Roots;
use ladder::bare_redis::BareRedis;
use ladder::finished;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tokio::sync::Mutex;

const KEY: &str = "/stadiums/floor/v1";

async fn connect() -> Result<BareRedis, Error> {
    let variable = |name: &str| std::env::var(name).map_err(|error| format!("{name}: {error}"));
    let (host, port, password) =
        (variable("CACHE_HOST")?, variable("CACHE_PORT")?, variable("CACHE_PASSWORD")?);
    let roots = Roots::from_env_value(std::env::var_os("TLS_CA_BUNDLE").as_deref())?;
    Ok(BareRedis::connect(&host, port.parse()?, &password, &roots).await?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let answer = &finished::answer()?;
    let kept = &Mutex::new(Some(connect().await?));
    let respond = service_fn(|_: LambdaEvent<IgnoredAny>| async move {
        let mut kept = kept.lock().await;
        // Taken out while it is in use, so that one that failed is never used again.
        let mut redis = match kept.take() {
            Some(redis) => redis,
            None => connect().await?,
        };
        let answer = match redis.get(KEY).await? {
            Some(stored) => RawValue::from_string(String::from_utf8(stored)?)?,
            None => {
                redis.set(KEY, answer.get().as_bytes()).await?;
                answer.clone()
            }
        };
        *kept = Some(redis);
        Ok::<_, Error>(answer)
    });
    lambda_runtime::run(respond).await
}
