//! One request: the cached answer, or the rows and their JSON.
//!
//! Apart from `main`, which only wires. Invariant: a failure of a dependency becomes a problem document within the time
//! budget; its cause goes to the log and never to the client; a failure of the cache becomes nothing at all.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use database_login::{Login, LoginError};
use lambda_runtime::Context;
use serde_json::value::{RawValue, to_raw_value};
use stadium_core::{Answer, CacheSettings, ParameterNames, Problem, SettingsError};
use telemetry::{InStep, Unit};
use tokio::sync::Mutex;

use crate::cache::{Cache, CacheError};
use crate::database::{Database, DatabaseError};
use crate::parameters::{Parameters, ParametersError, Settings};

/// How long a request may take where the time-out is not known.
const DEFAULT_BUDGET: Duration = Duration::from_secs(8);

/// What is kept of the time-out for posting the answer.
const ANSWER_MARGIN: Duration = Duration::from_millis(250);

/// Why a request could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// The settings could not be had.
    #[error(transparent)]
    Parameters(#[from] ParametersError),
    /// The rows could not be had.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The rows could not be written as JSON.
    #[error("serialize: {0}")]
    Serialize(#[from] serde_json::Error),
    /// The invocation's time was nearly over.
    #[error("no answer within the budget of {0:?}")]
    OutOfTime(Duration),
}

/// Why the function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// `PARAMETER_PREFIX` is not a parameter path.
    #[error("PARAMETER_PREFIX: {0}")]
    Prefix(#[from] SettingsError),
    /// Region or CA bundle.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The extension's settings.
    #[error(transparent)]
    Parameters(#[from] ParametersError),
}

/// What stays from request to request.
pub struct Handler {
    parameters: Parameters,
    login: Login,
    database: Database,
    cache: Mutex<Option<(CacheSettings, Arc<Cache>)>>,
    cache_key: String,
}

impl Handler {
    /// Reads the environment and makes what needs no parameter; connects to nothing.
    ///
    /// # Errors
    /// Names the variable, its value and what is expected.
    pub fn from_env() -> Result<Self, ConfigurationError> {
        let prefix = std::env::var("PARAMETER_PREFIX").ok();
        let names = ParameterNames::from_env_value(prefix.as_deref())?;
        // Deployments may share a cache; the version changes with the answer's shape.
        let cache_key = format!("{}/answer/v1", names.prefix());
        Ok(Self {
            parameters: Parameters::from_env(names)?,
            login: Login::from_env()?,
            database: Database::default(),
            cache: Mutex::default(),
            cache_key,
        })
    }

    /// Answers one request, within `budget`.
    ///
    /// # Errors
    /// The first step that failed, the cache's apart.
    pub async fn stadiums(&self, budget: Duration) -> Result<Box<RawValue>, HandlerError> {
        match tokio::time::timeout(budget, self.cached_or_queried()).await {
            Ok(answer) => answer,
            Err(_) => Err(HandlerError::OutOfTime(budget)),
        }
    }

    async fn cached_or_queried(&self) -> Result<Box<RawValue>, HandlerError> {
        let settings = self.parameters.settings().in_step(telemetry::step!("parameters")).await?;
        let cache = self.cache(&settings.cache).await;
        if let Some(answer) = cached(cache.as_deref()).await {
            telemetry::metric("CacheHit", Unit::Count, 1.0);
            tracing::info!("answered from the cache");
            return Ok(answer);
        }
        telemetry::metric("CacheMiss", Unit::Count, 1.0);
        let answer = self.queried(&settings).await?;
        if let Some(cache) = cache
            && let Err(error) = cache.set(&answer).in_step(telemetry::step!("cache.set")).await
        {
            tracing::warn!(%error, "the answer was not cached");
        }
        Ok(answer)
    }

    async fn queried(&self, settings: &Settings) -> Result<Box<RawValue>, HandlerError> {
        let stadiums = self.database.all_stadiums(&self.login, &settings.database).await?;
        let answer = telemetry::step!("serialize")
            .in_scope(|| to_raw_value(&Answer::json(serde_json::to_string(&stadiums)?)))?;
        tracing::info!(stadiums = stadiums.len(), "answered from the database");
        Ok(answer)
    }

    /// The connected cache, connected now if need be; `None` if it cannot be reached.
    async fn cache(&self, settings: &CacheSettings) -> Option<Arc<Cache>> {
        let mut connected = self.cache.lock().await;
        if let Some((known, cache)) = &*connected
            && known == settings
        {
            return Some(Arc::clone(cache));
        }
        if let Some((_, moved)) = connected.take() {
            moved.close().await;
        }
        let connect = Cache::connect(settings, self.login.roots(), self.cache_key.clone());
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

async fn cached(cache: Option<&Cache>) -> Option<Box<RawValue>> {
    match cache?.get().in_step(telemetry::step!("cache.get")).await {
        Ok(answer) => answer,
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

/// What is left of the invocation's time-out, less what posting the answer needs. A deadline in the past counts as unknown:
/// some emulators send one.
pub fn time_budget(context: &Context) -> Duration {
    match context.deadline().duration_since(SystemTime::now()) {
        Ok(left) => left.saturating_sub(ANSWER_MARGIN).max(ANSWER_MARGIN),
        Err(_) => DEFAULT_BUDGET,
    }
}

/// The answer a client gets, whatever happened.
///
/// # Errors
/// None in practice: a problem document can always be written.
pub fn answer(
    result: Result<Box<RawValue>, HandlerError>,
    trace_id: Option<&str>,
) -> Result<Box<RawValue>, serde_json::Error> {
    result.or_else(|error| {
        tracing::error!(%error, "request failed");
        let problem = match error {
            HandlerError::Serialize(_) => Problem::internal(trace_id),
            HandlerError::Parameters(_) | HandlerError::Database(_) | HandlerError::OutOfTime(_) => {
                Problem::unavailable(trace_id)
            }
        };
        to_raw_value(&problem.into_answer())
    })
}
