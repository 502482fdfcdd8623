//! The finished answer in Redis: cache-aside with a TTL, and never in the way.
//!
//! Apart from the handler because the baseline has nothing like it. What is stored is the whole answer as the HTTP API takes it, so
//! that a hit is neither parsed into rows nor escaped again. Invariant: a cache that is slow, dead or full of garbage costs one
//! short time-out and nothing else; what comes out of it is an answer, or it is a miss.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use database_login::Roots;
use fred::clients::Client;
use fred::error::Error as RedisError;
use fred::interfaces::{ClientLike, KeysInterface};
use fred::types::Builder;
use fred::types::Expiration;
use fred::types::config::{Config, ReconnectPolicy, ServerConfig, TcpConfig, TlsConfig};
use serde_json::value::RawValue;
use stadium_core::{CacheSettings, ParameterNames};
use telemetry::{InStep, Unit};
use tokio::sync::Mutex;

/// How long an answer may be served after it was read from the database.
pub const TTL: Duration = Duration::from_secs(10);

/// For one command, from sending it to its answer.
const COMMAND_LIMIT: Duration = Duration::from_millis(100);

/// For a new connection: TCP, TLS and AUTH.
const CONNECT_LIMIT: Duration = Duration::from_millis(500);

/// Why the cache did not help.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The trusted authorities cannot be used for TLS.
    #[error(transparent)]
    Login(#[from] database_login::LoginError),
    /// No connection, no answer in time, or an error answer.
    #[error("cache: {0}")]
    Redis(#[from] RedisError),
    /// The key holds something else than what is kept there.
    #[error("cache: {key} holds {length} bytes that are no answer; they are replaced")]
    Garbage {
        /// The key.
        key: String,
        /// How long its value is.
        length: usize,
    },
}

/// What is kept in the cache.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where.
    pub key: String,
    /// How every value begins that may be served.
    pub begins: &'static str,
}

impl Entry {
    /// The finished answer of the deployment whose parameters these are.
    pub fn answer(names: &ParameterNames) -> Self {
        // Deployments may share a cache; the version changes with the answer's shape.
        Self { key: format!("{}/answer/v1", names.prefix()), begins: "{\"statusCode\":200," }
    }

    /// The stored bytes as a value, if they are one: whole JSON that begins as ours does.
    pub fn read(&self, stored: &[u8]) -> Option<Box<RawValue>> {
        if !stored.starts_with(self.begins.as_bytes()) {
            return None;
        }
        let text = String::from_utf8(stored.to_vec()).ok()?;
        RawValue::from_string(text).ok()
    }
}

/// The way to the cache: connected on first use, and anew where its settings have changed.
pub struct CacheAside {
    entry: Entry,
    connected: Mutex<Option<(CacheSettings, Arc<Cache>)>>,
}

impl CacheAside {
    /// The cache for `entry`; connects to nothing yet.
    pub fn new(entry: Entry) -> Self {
        Self { entry, connected: Mutex::default() }
    }

    /// The connected cache, connected now if need be; `None` if it cannot be reached.
    pub async fn connected(&self, settings: &CacheSettings, roots: &Roots) -> Option<Arc<Cache>> {
        let mut connected = self.connected.lock().await;
        if let Some((known, cache)) = &*connected
            && known == settings
        {
            return Some(Arc::clone(cache));
        }
        if let Some((_, moved)) = connected.take() {
            moved.close().await;
        }
        let connect = Cache::connect(settings, roots, self.entry.clone());
        match connect.in_step(telemetry::step!("cache.connect")).await {
            Ok(cache) => {
                let cache = Arc::new(cache);
                *connected = Some((settings.clone(), Arc::clone(&cache)));
                Some(cache)
            }
            Err(error) => {
                report(&error);
                None
            }
        }
    }
}

/// What `cache` holds; trouble with it is told and counts as a miss.
pub async fn cached(cache: Option<&Cache>) -> Option<Box<RawValue>> {
    match cache?.get().in_step(telemetry::step!("cache.get")).await {
        Ok(value) => value,
        Err(error) => {
            report(&error);
            None
        }
    }
}

fn report(error: &CacheError) {
    telemetry::metric("CacheError", Unit::Count, 1.0);
    tracing::warn!(%error, "going on without the cache");
}

/// A connection to the cache that mends itself.
pub struct Cache {
    client: Client,
    entry: Entry,
}

impl Cache {
    /// Connects to the cache of `settings`, whose certificate must lead to `roots`, for `entry`.
    ///
    /// # Errors
    /// No connection within 500 ms. Nothing goes on in the background then.
    pub async fn connect(settings: &CacheSettings, roots: &Roots, entry: Entry) -> Result<Self, CacheError> {
        let config = Config {
            server: ServerConfig::new_centralized(&settings.host, settings.port),
            password: Some(settings.password.expose().to_owned()),
            tls: Some(TlsConfig::from(roots.client_config()?)),
            fail_fast: true,
            ..Config::default()
        };
        // The first try comes at once: by default it would come after a second. No jitter: one sandbox is one client.
        let mut policy = ReconnectPolicy::new_exponential(0, 1, 1000, 2);
        policy.set_jitter(0);
        let client = Builder::from_config(config)
            .with_connection_config(|connection| {
                connection.connection_timeout = CONNECT_LIMIT;
                connection.internal_command_timeout = CONNECT_LIMIT;
                connection.reconnect_on_auth_error = true;
                connection.tcp = TcpConfig { nodelay: Some(true), ..TcpConfig::default() };
            })
            .with_performance_config(|performance| performance.default_command_timeout = COMMAND_LIMIT)
            .set_policy(policy)
            .build()?;
        client.init().await?;
        Ok(Self { client, entry })
    }

    /// Ends the connection. Dropping alone would not: fred's own task keeps it.
    pub async fn close(&self) {
        if let Err(error) = self.client.quit().await {
            tracing::debug!(%error, "the cache's old connection was closed already");
        }
    }

    /// The value stored last, unless it has expired.
    ///
    /// # Errors
    /// The cache's error, at the latest after 100 ms; or that it holds something else.
    pub async fn get(&self) -> Result<Option<Box<RawValue>>, CacheError> {
        let Entry { key, .. } = &self.entry;
        let Some(stored) = self.client.get::<Option<Bytes>, _>(key).await? else { return Ok(None) };
        match self.entry.read(&stored) {
            Some(value) => Ok(Some(value)),
            None => Err(CacheError::Garbage { key: key.clone(), length: stored.len() }),
        }
    }

    /// Stores `value`, which is JSON, for ten seconds.
    ///
    /// # Errors
    /// The cache's error, at the latest after 100 ms.
    pub async fn set(&self, value: &str) -> Result<(), CacheError> {
        let ttl_s = i64::try_from(TTL.as_secs()).unwrap_or(i64::MAX);
        let value = Bytes::copy_from_slice(value.as_bytes());
        Ok(self.client.set(&self.entry.key, value, Some(Expiration::EX(ttl_s)), None, false).await?)
    }
}

#[cfg(test)]
mod tests {
    use stadium_core::{Answer, ParameterNames};

    use super::Entry;

    #[test]
    fn an_answer_survives_storing_and_garbage_does_not() {
        let entry = Entry::answer(&ParameterNames::new("/stadiums").unwrap());
        let stored = serde_json::to_vec(&Answer::json("[{\"name\":\"é\"}]".to_owned())).unwrap();
        assert_eq!(entry.read(&stored).unwrap().get().as_bytes(), stored);
        let truncated = &stored[..stored.len() - 1];
        let not_text = [b"{\"statusCode\":200,\"body\":\"", &[0xff][..], b"\"}"].concat();
        for garbage in [truncated, &not_text, b"", b"5", b"{\"statusCode\":500,\"body\":\"\"}"] {
            assert!(entry.read(garbage).is_none(), "{}", String::from_utf8_lossy(garbage));
        }
    }
}
