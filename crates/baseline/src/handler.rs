//! One request: parameters, a connection, the rows, their JSON.
//!
//! Apart from `main`, which only wires. Invariant: a failure of a dependency becomes a problem document; its cause goes to the
//! log and never to the client.

use database_login::{Login, LoginError};
use sqlx::PgPool;
use stadium_core::{Answer, DatabaseSettings, ParameterNames, Problem, SettingsError};
use telemetry::InStep;

use crate::database::{self, DatabaseError, Migrations};
use crate::parameters::{self, ParametersError};

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
}

/// What stays the same from request to request.
#[derive(Debug)]
pub struct Handler {
    /// Where the parameters are.
    pub names: ParameterNames,
    /// How to log in to the database.
    pub login: Login,
    /// Whether this sandbox has checked the schema.
    pub migrations: Migrations,
}

impl Handler {
    /// Reads `PARAMETER_PREFIX`, `AWS_REGION` and `TLS_CA_BUNDLE`.
    ///
    /// # Errors
    /// Names the variable, its value and what is expected.
    pub fn from_env() -> Result<Self, ConfigurationError> {
        let prefix = std::env::var("PARAMETER_PREFIX").ok();
        Ok(Self {
            names: ParameterNames::from_env_value(prefix.as_deref())?,
            login: Login::from_env()?,
            migrations: Migrations::default(),
        })
    }

    /// Answers one request with a client, a pool and a token of its own.
    ///
    /// # Errors
    /// The first step that failed.
    pub async fn stadiums(&self) -> Result<Answer, HandlerError> {
        let settings = async {
            let client = parameters::client().await;
            parameters::fetch(&client, &self.names).await
        };
        let settings = settings.in_step(telemetry::step!("parameters")).await?;
        self.stadiums_at(&settings).await
    }

    /// Answers one request from the database of `settings`, with a pool and a token of its own.
    ///
    /// # Errors
    /// The first step that failed.
    pub async fn stadiums_at(&self, settings: &DatabaseSettings) -> Result<Answer, HandlerError> {
        let connected = async {
            let options = database::login_options(&self.login, settings).map_err(DatabaseError::from)?;
            database::connect(options).await
        };
        let pool = connected.in_step(telemetry::step!("db.connect")).await?;
        let answer = self.stadiums_from(&pool).await;
        pool.close().await;
        answer
    }

    /// Answers one request from `pool`.
    ///
    /// # Errors
    /// The first step that failed.
    pub async fn stadiums_from(&self, pool: &PgPool) -> Result<Answer, HandlerError> {
        let query = async {
            self.migrations.check(pool).await?;
            database::all_stadiums(pool).await
        };
        let stadiums = query.in_step(telemetry::step!("db.query")).await?;
        let body = telemetry::step!("serialize").in_scope(|| serde_json::to_string(&stadiums))?;
        tracing::info!(stadiums = stadiums.len(), "answered from the database");
        Ok(Answer::json(body))
    }
}

/// The answer a client gets, whatever happened.
pub fn answer(result: Result<Answer, HandlerError>, trace_id: Option<&str>) -> Answer {
    result.unwrap_or_else(|error| {
        tracing::error!(%error, "request failed");
        match error {
            HandlerError::Serialize(_) => Problem::internal(trace_id).into_answer(),
            HandlerError::Parameters(_) | HandlerError::Database(_) => {
                Problem::unavailable(trace_id).into_answer()
            }
        }
    })
}
