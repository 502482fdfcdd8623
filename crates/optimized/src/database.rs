//! The database the lean way: one connection, one prepared statement, the columns that are answered.
//!
//! Apart from the handler because this is what replaces pool, migrations and entities. Invariant: at most one connection, and
//! one that failed is never used again.

use std::time::Duration;

use database_login::{Login, LoginError, Target};
use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, Row};
use stadium_core::{DatabaseSettings, Stadium};
use telemetry::InStep;
use tokio::sync::Mutex;

/// For a new connection: TCP, TLS and login.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// For the query's rows.
const QUERY_LIMIT: Duration = Duration::from_secs(2);

const QUERY: &str =
    "SELECT name, capacity, location, surface, roof, team, year_opened FROM stadiums ORDER BY team";

/// Why the database gave no rows.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// No token could be made.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// Connecting or querying failed.
    #[error("database: {0}")]
    Query(#[from] sqlx::Error),
    /// Connecting or querying took too long.
    #[error("database: {step} took longer than {} s", limit.as_secs())]
    Slow {
        /// What took so long.
        step: &'static str,
        /// The limit it passed.
        limit: Duration,
    },
}

/// The kept connection, if there is one.
#[derive(Debug, Default)]
pub struct Database {
    connection: Mutex<Option<PgConnection>>,
}

impl Database {
    /// Connects ahead of the first query, for whoever knows the settings that early.
    ///
    /// # Errors
    /// The new connection's.
    pub async fn connect(&self, login: &Login, settings: &DatabaseSettings) -> Result<(), DatabaseError> {
        let connection = connect(login, settings).in_step(telemetry::step!("db.connect")).await?;
        *self.connection.lock().await = Some(connection);
        Ok(())
    }

    /// All stadiums, ordered by team.
    ///
    /// A kept connection may have died while the sandbox was frozen; it is replaced once, with a fresh token.
    ///
    /// # Errors
    /// The error of the new connection or of its query.
    pub async fn all_stadiums(
        &self,
        login: &Login,
        settings: &DatabaseSettings,
    ) -> Result<Vec<Stadium>, DatabaseError> {
        let mut kept = self.connection.lock().await;
        // Taken out while it is in use: an error, or a caller that stops waiting, leaves no half-read connection behind.
        if let Some(mut connection) = kept.take() {
            match query(&mut connection).await {
                Ok(stadiums) => {
                    *kept = Some(connection);
                    return Ok(stadiums);
                }
                Err(error) => tracing::info!(%error, "replacing the kept connection"),
            }
        }
        let mut connection = connect(login, settings).in_step(telemetry::step!("db.connect")).await?;
        let stadiums = query(&mut connection).await?;
        *kept = Some(connection);
        Ok(stadiums)
    }
}

async fn connect(login: &Login, settings: &DatabaseSettings) -> Result<PgConnection, DatabaseError> {
    let options = login.connect_options(&Target {
        host: &settings.host,
        port: settings.port,
        database: &settings.name,
        user: &settings.user,
    })?;
    within("connecting", CONNECT_LIMIT, PgConnection::connect_with(&options)).await
}

async fn query(connection: &mut PgConnection) -> Result<Vec<Stadium>, DatabaseError> {
    let rows = sqlx::query(QUERY).fetch_all(connection);
    let rows = within("the query", QUERY_LIMIT, rows).in_step(telemetry::step!("db.query")).await?;
    Ok(rows.iter().map(stadium).collect::<Result<_, _>>()?)
}

async fn within<T>(
    step: &'static str,
    limit: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, DatabaseError> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(DatabaseError::Slow { step, limit }),
    }
}

/// By position: the query names the columns, so they need not be looked up again for each row.
fn stadium(row: &PgRow) -> Result<Stadium, sqlx::Error> {
    Ok(Stadium {
        name: row.try_get(0)?,
        capacity: row.try_get(1)?,
        location: row.try_get(2)?,
        surface: row.try_get(3)?,
        roof: row.try_get(4)?,
        team: row.try_get(5)?,
        year_opened: row.try_get(6)?,
    })
}
