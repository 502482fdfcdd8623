//! A pool that outlives its invocation, and the token that its next connection will need.
//!
//! Apart from `src`, where each invocation opens a pool of its own. Invariant: the pool never opens a connection with a token
//! older than ten minutes; tokens open none after fifteen.

use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use database_login::Login;
use sqlx::PgPool;
use stadium_core::DatabaseSettings;

use crate::database::{self, DatabaseError};

const TOKEN_RENEWAL: Duration = Duration::from_secs(600);

/// A pool, connected, and what makes its tokens.
#[derive(Debug)]
pub struct KeptPool {
    pool: PgPool,
    login: Login,
    settings: DatabaseSettings,
    signed: Mutex<SystemTime>,
}

impl KeptPool {
    /// Connects to the database of `settings`.
    ///
    /// # Errors
    /// Missing credentials, or the connection's error.
    pub async fn connect(login: Login, settings: DatabaseSettings) -> Result<Self, DatabaseError> {
        let signed = Mutex::new(SystemTime::now());
        let pool = database::connect(database::login_options(&login, &settings)?).await?;
        Ok(Self { pool, login, settings, signed })
    }

    /// The pool, with a fresh token for connections it may open from now on.
    ///
    /// # Errors
    /// Missing credentials.
    pub fn pool(&self) -> Result<&PgPool, DatabaseError> {
        let mut signed = self.signed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // By the wall clock, which goes on while the sandbox is frozen; a clock set back renews too.
        if signed.elapsed().is_ok_and(|age| age < TOKEN_RENEWAL) {
            return Ok(&self.pool);
        }
        self.pool.set_connect_options(database::login_options(&self.login, &self.settings)?);
        *signed = SystemTime::now();
        Ok(&self.pool)
    }
}
