//! One request: the cached answer, or the rows and their JSON.
//!
//! Apart from `main`, which only wires. Invariant: a failure of a dependency becomes a problem document within the time
//! budget; its cause goes to the log and never to the client; a failure of the cache becomes nothing at all.

use std::time::Duration;

use database_login::{Login, LoginError};
use serde_json::value::{RawValue, to_raw_value};
use stadium_core::{Answer, ParameterNames, Problem, SettingsError, Stadium};
use telemetry::{InStep, Unit};

use crate::budget::{OutOfTime, within};
use crate::cache::{CacheAside, Entry, cached};
use crate::database::{Database, DatabaseError};
use crate::parameters::{Parameters, ParametersError, Settings};

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
    #[error(transparent)]
    OutOfTime(#[from] OutOfTime),
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
    /// Where the settings come from.
    pub parameters: Parameters,
    /// How to log in to the database.
    pub login: Login,
    database: Database,
    cache: CacheAside,
}

impl Handler {
    /// Reads the environment and makes what needs no parameter; connects to nothing.
    ///
    /// # Errors
    /// Names the variable, its value and what is expected.
    pub fn from_env() -> Result<Self, ConfigurationError> {
        let prefix = std::env::var("PARAMETER_PREFIX").ok();
        let names = ParameterNames::from_env_value(prefix.as_deref())?;
        let cache = CacheAside::new(Entry::answer(&names));
        Ok(Self {
            parameters: Parameters::from_env(names)?,
            login: Login::from_env()?,
            database: Database::default(),
            cache,
        })
    }

    /// Answers one request, within `budget`.
    ///
    /// # Errors
    /// The first step that failed, the cache's apart.
    pub async fn stadiums(&self, budget: Duration) -> Result<Box<RawValue>, HandlerError> {
        let answer = async {
            let settings = self.parameters.settings().in_step(telemetry::step!("parameters")).await?;
            let query = async { Ok(self.database.all_stadiums(&self.login, &settings.database).await?) };
            self.cached_or(&settings, query).await
        };
        within(budget, answer).await
    }

    /// The cached answer, or that of `query`, which is then cached.
    ///
    /// # Errors
    /// The query's.
    pub async fn cached_or(
        &self,
        settings: &Settings,
        query: impl Future<Output = Result<Vec<Stadium>, HandlerError>>,
    ) -> Result<Box<RawValue>, HandlerError> {
        let cache = self.cache.connected(&settings.cache, self.login.roots()).await;
        if let Some(answer) = cached(cache.as_deref()).await {
            telemetry::metric("CacheHit", Unit::Count, 1.0);
            tracing::info!("answered from the cache");
            return Ok(answer);
        }
        telemetry::metric("CacheMiss", Unit::Count, 1.0);
        let stadiums = query.await?;
        let answer = telemetry::step!("serialize")
            .in_scope(|| to_raw_value(&Answer::json(serde_json::to_string(&stadiums)?)))?;
        tracing::info!(stadiums = stadiums.len(), "answered from the database");
        if let Some(cache) = cache
            && let Err(error) = cache.set(answer.get()).in_step(telemetry::step!("cache.set")).await
        {
            tracing::warn!(%error, "the answer was not cached");
        }
        Ok(answer)
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
