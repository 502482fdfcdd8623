//! The finished answer in Redis: cache-aside with a TTL, and never in the way.
//!
//! Apart from the handler because the baseline has nothing like it. What is stored is the whole answer as the HTTP API takes it, so
//! that a hit is neither parsed into rows nor escaped again. Invariant: a cache that is slow, dead or full of garbage costs one
//! short time-out and nothing else; what comes out of it is an answer, or it is a miss.

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
use stadium_core::CacheSettings;

/// How long an answer may be served after it was read from the database.
const TTL: Duration = Duration::from_secs(10);

/// For one command, from sending it to its answer.
const COMMAND_LIMIT: Duration = Duration::from_millis(100);

/// For a new connection: TCP, TLS and AUTH.
const CONNECT_LIMIT: Duration = Duration::from_millis(500);

/// How every answer begins that may be served from the cache.
const ANSWER_BEGINS: &[u8] = b"{\"statusCode\":200,";

/// Why the cache did not help.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The trusted authorities cannot be used for TLS.
    #[error(transparent)]
    Login(#[from] database_login::LoginError),
    /// No connection, no answer in time, or an error answer.
    #[error("cache: {0}")]
    Redis(#[from] RedisError),
    /// The key holds something else than an answer.
    #[error("cache: {key} holds {length} bytes that are no answer; they are replaced")]
    Garbage {
        /// The key.
        key: String,
        /// How long its value is.
        length: usize,
    },
}

/// A connection to the cache that mends itself.
pub struct Cache {
    client: Client,
    key: String,
}

impl Cache {
    /// Connects to the cache of `settings`, whose certificate must lead to `roots`; `key` is where the answer is kept.
    ///
    /// # Errors
    /// No connection within 500 ms. Nothing goes on in the background then.
    pub async fn connect(settings: &CacheSettings, roots: &Roots, key: String) -> Result<Self, CacheError> {
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
        Ok(Self { client, key })
    }

    /// Ends the connection. Dropping alone would not: fred's own task keeps it.
    pub async fn close(&self) {
        if let Err(error) = self.client.quit().await {
            tracing::debug!(%error, "the cache's old connection was closed already");
        }
    }

    /// The answer stored last, unless it has expired.
    ///
    /// # Errors
    /// The cache's error, at the latest after 100 ms; or that the value is no answer.
    pub async fn get(&self) -> Result<Option<Box<RawValue>>, CacheError> {
        let Some(stored) = self.client.get::<Option<Bytes>, _>(&self.key).await? else { return Ok(None) };
        match answer(&stored) {
            Some(answer) => Ok(Some(answer)),
            None => Err(CacheError::Garbage { key: self.key.clone(), length: stored.len() }),
        }
    }

    /// Stores `answer` for ten seconds.
    ///
    /// # Errors
    /// The cache's error, at the latest after 100 ms.
    pub async fn set(&self, answer: &RawValue) -> Result<(), CacheError> {
        let ttl_s = i64::try_from(TTL.as_secs()).unwrap_or(i64::MAX);
        let value = Bytes::copy_from_slice(answer.get().as_bytes());
        Ok(self.client.set(&self.key, value, Some(Expiration::EX(ttl_s)), None, false).await?)
    }
}

/// The stored bytes as an answer, if they are one: whole JSON that begins as our answers do.
fn answer(stored: &[u8]) -> Option<Box<RawValue>> {
    if !stored.starts_with(ANSWER_BEGINS) {
        return None;
    }
    let text = String::from_utf8(stored.to_vec()).ok()?;
    RawValue::from_string(text).ok()
}

#[cfg(test)]
mod tests {
    use stadium_core::Answer;

    use super::answer;

    #[test]
    fn an_answer_survives_storing_and_garbage_does_not() {
        let stored = serde_json::to_vec(&Answer::json("[{\"name\":\"é\"}]".to_owned())).unwrap();
        assert_eq!(answer(&stored).unwrap().get().as_bytes(), stored);
        let truncated = &stored[..stored.len() - 1];
        let not_text = [b"{\"statusCode\":200,\"body\":\"", &[0xff][..], b"\"}"].concat();
        for garbage in [truncated, &not_text, b"", b"5", b"{\"statusCode\":500,\"body\":\"\"}"] {
            assert!(answer(garbage).is_none(), "{}", String::from_utf8_lossy(garbage));
        }
    }
}
