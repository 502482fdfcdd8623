//! Parameters from the Parameters and Secrets extension: plain HTTP on localhost, no SDK, no TLS.
//!
//! Apart from the database because this is what replaces the SDK. The extension serves in the INVOKE phase only
//! (<https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-integration-lambda-extensions.html>), so the first
//! invocation fetches; it has no batch, so each name is one GET, over at most three kept connections, its own limit. Invariant:
//! settings are at most two TTLs old: one of the extension's cache, one of ours (10 minutes with the defaults), unless a
//! re-read fails; then the old ones serve on, and each later invocation tries again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
#[cfg(feature = "cache")]
use stadium_core::CacheSettings;
use stadium_core::{DatabaseSettings, ParameterNames, SettingsError};
use telemetry::InStep;
use tracing::Span;

/// The extension's default for `SSM_PARAMETER_STORE_TTL`, and its maximum.
const DEFAULT_TTL: Duration = Duration::from_secs(300);

/// For one answer of the extension; on a miss it calls Parameter Store itself.
const CALL_LIMIT: Duration = Duration::from_secs(2);

/// The extension may need a moment to notice the first invocation: until then it answers 400.
const NOT_READY_PAUSE: Duration = Duration::from_millis(2);
const NOT_READY_LIMIT: Duration = Duration::from_secs(1);

/// A parameter is at most 8 kB; the rest is the answer around it.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Why there are no settings. Answers of the extension are never quoted: they may hold a secret.
#[derive(Debug, thiserror::Error)]
pub enum ParametersError {
    /// The environment lacks what the extension's client needs.
    #[error("{variable} = {value:?}: expected {expected}")]
    Environment {
        /// The variable.
        variable: &'static str,
        /// Its value, empty if it is not set.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The extension did not answer.
    #[error(
        "parameter {name}: no answer from the extension on 127.0.0.1:{port}: {reason}; is its layer attached?"
    )]
    Unreachable {
        /// The parameter's name.
        name: String,
        /// The extension's port.
        port: u16,
        /// What happened.
        reason: String,
    },
    /// The extension answered with an error.
    #[error(
        "parameter {name}: the extension answered {status}; does it exist, and may the role call ssm:GetParameter on it?"
    )]
    Refused {
        /// The parameter's name.
        name: String,
        /// The HTTP status.
        status: StatusCode,
    },
    /// The extension's answer is not the JSON it documents.
    #[error("parameter {name}: the extension's answer cannot be read: {source}")]
    Malformed {
        /// The parameter's name.
        name: String,
        /// What the JSON reader found.
        source: serde_json::Error,
    },
    /// A value that cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

/// All that the function learns from its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the database is.
    pub database: DatabaseSettings,
    /// Where the cache is.
    #[cfg(feature = "cache")]
    pub cache: CacheSettings,
}

impl Settings {
    /// The parameters they are made of.
    pub fn names(names: &ParameterNames) -> Vec<String> {
        let all = names.database().into_iter();
        #[cfg(feature = "cache")]
        let all = all.chain(names.cache());
        all.collect()
    }

    /// The settings that `values`, keyed by full name, hold.
    ///
    /// # Errors
    /// The first parameter that is missing or cannot be used.
    pub fn parse(names: &ParameterNames, values: &HashMap<String, String>) -> Result<Self, SettingsError> {
        Ok(Self {
            database: DatabaseSettings::parse(names, values)?,
            #[cfg(feature = "cache")]
            cache: CacheSettings::parse(names, values)?,
        })
    }
}

/// The extension's client and what it fetched last.
#[derive(Debug)]
pub struct Parameters {
    names: ParameterNames,
    client: Client<HttpConnector, Empty<Bytes>>,
    port: u16,
    token: String,
    ttl: Duration,
    latest: Mutex<Option<(Instant, Arc<Settings>)>>,
}

impl Parameters {
    /// Reads `PARAMETERS_SECRETS_EXTENSION_HTTP_PORT`, `SSM_PARAMETER_STORE_TTL` and `AWS_SESSION_TOKEN`; connects to nothing.
    ///
    /// # Errors
    /// Names the variable, its value and what is expected.
    pub fn from_env(names: ParameterNames) -> Result<Self, ParametersError> {
        let port = number("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "a TCP port", 2773_u16)?;
        let ttl_s = number("SSM_PARAMETER_STORE_TTL", "seconds", DEFAULT_TTL.as_secs())?;
        let token = std::env::var("AWS_SESSION_TOKEN").map_err(|_| ParametersError::Environment {
            variable: "AWS_SESSION_TOKEN",
            value: String::new(),
            expected: "the role's session token, which Lambda sets",
        })?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            // A timer would not run while the sandbox is frozen; a connection that died meanwhile is replaced on use.
            .pool_idle_timeout(None)
            .pool_max_idle_per_host(3)
            .build(connector);
        let ttl = Duration::from_secs(ttl_s).min(DEFAULT_TTL);
        Ok(Self { names, client, port, token, ttl, latest: Mutex::new(None) })
    }

    /// Takes `settings` as read `age` ago, if that is no longer than they are fresh.
    pub fn restore(&self, settings: Settings, age: Duration) {
        let Some(read) = Instant::now().checked_sub(age).filter(|_| age < self.ttl) else { return };
        let entry = Some((read, Arc::new(settings)));
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = entry;
    }

    /// The settings read last, and how long ago.
    pub fn latest(&self) -> Option<(Duration, Arc<Settings>)> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.as_ref().map(|(read, settings)| (read.elapsed(), Arc::clone(settings)))
    }

    /// The settings: those read last while they are fresh, else read anew.
    ///
    /// # Errors
    /// Only if there are no older settings to serve on with.
    pub async fn settings(&self) -> Result<Arc<Settings>, ParametersError> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read, settings)) = &latest
            && read.elapsed() < self.ttl
        {
            return Ok(Arc::clone(settings));
        }
        match (self.fetch().await, latest) {
            (Ok(settings), _) => {
                let settings = Arc::new(settings);
                let entry = Some((Instant::now(), Arc::clone(&settings)));
                *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = entry;
                Ok(settings)
            }
            (Err(error), Some((_, settings))) => {
                tracing::warn!(%error, "serving on with the parameters read before");
                Ok(settings)
            }
            (Err(error), None) => Err(error),
        }
    }

    async fn fetch(&self) -> Result<Settings, ParametersError> {
        let names = Settings::names(&self.names);
        // Three at a time, as many as the extension takes connections.
        let (first, rest) = names.split_at(names.len().div_ceil(3));
        let (second, third) = rest.split_at(rest.len().div_ceil(2));
        let (first, second, third) =
            tokio::try_join!(self.get_all(first), self.get_all(second), self.get_all(third))?;
        let values = first.into_iter().chain(second).chain(third).collect();
        Ok(Settings::parse(&self.names, &values)?)
    }

    async fn get_all(&self, names: &[String]) -> Result<Vec<(String, String)>, ParametersError> {
        let mut values = Vec::with_capacity(names.len());
        for name in names {
            values.push((name.clone(), self.get(name).await?));
        }
        Ok(values)
    }

    async fn get(&self, name: &str) -> Result<String, ParametersError> {
        let begun = Instant::now();
        loop {
            let (status, body) = self.call(name).await?;
            match status {
                StatusCode::OK => {
                    return value(&body)
                        .map_err(|source| ParametersError::Malformed { name: name.to_owned(), source });
                }
                StatusCode::BAD_REQUEST if is_not_ready(&body) && begun.elapsed() < NOT_READY_LIMIT => {
                    tokio::time::sleep(NOT_READY_PAUSE).await;
                }
                _ => return Err(ParametersError::Refused { name: name.to_owned(), status }),
            }
        }
    }

    async fn call(&self, name: &str) -> Result<(StatusCode, Bytes), ParametersError> {
        let unreachable =
            |reason: String| ParametersError::Unreachable { name: name.to_owned(), port: self.port, reason };
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("name", name)
            .append_pair("withDecryption", "true")
            .finish();
        let request =
            Request::get(format!("http://127.0.0.1:{}/systemsmanager/parameters/get?{query}", self.port))
                .header("x-aws-parameters-secrets-token", &self.token)
                .body(Empty::new())
                .map_err(|error| unreachable(error.to_string()))?;
        let exchange = async {
            let response = self.client.request(request).await.map_err(|error| unreachable(chain(&error)))?;
            let status = response.status();
            Span::current().record("http.response.status_code", status.as_u16());
            let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
            Ok((status, body.map_err(|error| unreachable(error.to_string()))?.to_bytes()))
        };
        let call = telemetry::step!(
            "parameters-extension",
            otel.kind = "client",
            metadata.parameter = name,
            http.response.status_code = tracing::field::Empty,
        );
        let limited = async {
            let exchanged = tokio::time::timeout(CALL_LIMIT, exchange).await;
            exchanged
                .unwrap_or_else(|_| Err(unreachable(format!("nothing within {} s", CALL_LIMIT.as_secs()))))
        };
        limited.in_step(call).await
    }
}

fn number<T: std::str::FromStr>(
    variable: &'static str,
    expected: &'static str,
    default: T,
) -> Result<T, ParametersError> {
    match std::env::var(variable) {
        Ok(value) => {
            value.trim().parse().map_err(|_| ParametersError::Environment { variable, value, expected })
        }
        Err(_) => Ok(default),
    }
}

fn is_not_ready(body: &[u8]) -> bool {
    body.starts_with(b"not ready to serve traffic")
}

fn value(body: &[u8]) -> Result<String, serde_json::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        parameter: Parameter,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Parameter {
        value: String,
    }
    Ok(serde_json::from_slice::<Answer>(body)?.parameter.value)
}

/// An error with its causes: hyper's own words alone are only "client error".
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
