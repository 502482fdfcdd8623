//! The database the ORM way: a pool, migrations, an entity with every column.
//!
//! Apart from the handler because this is what the lean query replaces in the optimized function. Invariant: migrations are
//! checked before the first query of a sandbox, and only then; the check takes an advisory lock in the database.

use database_login::{Login, LoginError, Target};
use sqlx::PgPool;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::types::time::OffsetDateTime;
use stadium_core::{DatabaseSettings, Stadium};
use tokio::sync::OnceCell;

static MIGRATOR: Migrator = sqlx::migrate!();

/// Why the database gave no rows.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// No token could be made.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The schema is not what this code expects.
    #[error("migrations: {0}")]
    Migrations(#[from] MigrateError),
    /// Connecting or querying failed.
    #[error("database: {0}")]
    Query(#[from] sqlx::Error),
}

/// A row of the table `stadiums`, every column of it.
#[derive(Debug, sqlx::FromRow)]
pub struct StadiumEntity {
    /// Primary key.
    pub id: i64,
    /// The stadium's name.
    pub name: String,
    /// Seats.
    pub capacity: i32,
    /// City and state.
    pub location: String,
    /// What is played on.
    pub surface: String,
    /// Open, fixed or retractable.
    pub roof: String,
    /// The home team; unique.
    pub team: String,
    /// The year it opened.
    pub year_opened: i32,
    /// When the row was made.
    pub created_at: OffsetDateTime,
    /// When the row was last changed.
    pub updated_at: OffsetDateTime,
}

impl From<StadiumEntity> for Stadium {
    fn from(entity: StadiumEntity) -> Self {
        let StadiumEntity { name, capacity, location, surface, roof, team, year_opened, .. } = entity;
        Self { name, capacity, location, surface, roof, team, year_opened }
    }
}

/// How to log in to the database of `settings`, with a token signed now.
///
/// # Errors
/// Missing credentials.
pub fn login_options(login: &Login, settings: &DatabaseSettings) -> Result<PgConnectOptions, LoginError> {
    login.connect_options(&Target {
        host: &settings.host,
        port: settings.port,
        database: &settings.name,
        user: &settings.user,
    })
}

/// A pool of one connection: a sandbox serves one request at a time.
///
/// # Errors
/// The connection's error, at the latest after sqlx's default of 30 seconds.
pub async fn connect(options: PgConnectOptions) -> Result<PgPool, DatabaseError> {
    Ok(PgPoolOptions::new().max_connections(1).connect_with(options).await?)
}

/// Checks the migrations, once per sandbox.
#[derive(Debug, Default)]
pub struct Migrations {
    checked: OnceCell<()>,
}

impl Migrations {
    /// Brings the schema up to date, if this sandbox has not done so yet.
    ///
    /// # Errors
    /// A migration that fails, or one that was changed after it had been applied.
    pub async fn check(&self, pool: &PgPool) -> Result<(), DatabaseError> {
        self.checked.get_or_try_init(|| MIGRATOR.run(pool)).await?;
        Ok(())
    }
}

/// All stadiums, ordered by team.
///
/// # Errors
/// The query's error.
pub async fn all_stadiums(pool: &PgPool) -> Result<Vec<Stadium>, DatabaseError> {
    let entities: Vec<StadiumEntity> =
        sqlx::query_as("SELECT * FROM stadiums ORDER BY team").fetch_all(pool).await?;
    Ok(entities.into_iter().map(Stadium::from).collect())
}
