//! The options with which sqlx logs in.
//!
//! Apart from [`auth_token`] and [`Roots`] because those know no client library. Invariant: options from here
//! verify the server in full, and those of a [`Login`] carry a token that was signed just now for their host,
//! port and user.

use std::env;
use std::time::SystemTime;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::credentials::variable;
use crate::{Endpoint, LoginError, Roots, Token, auth_token, credentials_from_env};

/// Which database to log in to, and as whom.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The host name, which the server's certificate must show.
    pub host: &'a str,
    /// The TCP port.
    pub port: u16,
    /// The database's name.
    pub database: &'a str,
    /// The role that logs in.
    pub user: &'a str,
}

/// Options for `target` with `token` as the password, over TLS whose certificate must lead to `roots` and
/// name the host.
///
/// sqlx always trusts the web's authorities too: `roots` adds its bundle to them, and the file is not read
/// again. Whoever logs these options logs the token with them: their `Debug` hides nothing.
pub fn connect_options(target: &Target<'_>, token: &Token, roots: &Roots) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .host(target.host)
        .port(target.port)
        .database(target.database)
        .username(target.user)
        .password(token.expose())
        .ssl_mode(PgSslMode::VerifyFull)
        // Empty for the web's roots: so that PGSSLROOTCERT in the environment adds nobody.
        .ssl_root_cert_from_pem(roots.pem().to_vec())
}

/// All that a function needs for its logins, made once in INIT.
#[derive(Clone, Debug)]
pub struct Login {
    region: String,
    roots: Roots,
}

impl Login {
    /// Reads `AWS_REGION` and the CA bundle that `TLS_CA_BUNDLE` names, if it names one.
    ///
    /// # Errors
    /// Names the variable that is missing, or the bundle and what is wrong with it.
    pub fn from_env() -> Result<Self, LoginError> {
        let roots = Roots::from_env_value(env::var_os("TLS_CA_BUNDLE").as_deref())?;
        Ok(Self { region: variable("AWS_REGION")?, roots })
    }

    /// Options for one connection to `target`, with a token signed now by the environment's credentials.
    ///
    /// Ask again for each new connection: the token opens none after 15 minutes. A pool keeps the options
    /// that it was made with, so one that lives longer needs `Pool::set_connect_options`.
    ///
    /// # Errors
    /// Missing credentials, or a host that cannot be signed for.
    pub fn connect_options(&self, target: &Target<'_>) -> Result<PgConnectOptions, LoginError> {
        let Target { host, port, user, .. } = *target;
        let endpoint = Endpoint { host, port, user, region: &self.region };
        let token = auth_token(&endpoint, &credentials_from_env()?, SystemTime::now())?;
        Ok(connect_options(target, &token, &self.roots))
    }

    /// The authorities trusted here, for the TLS of other clients.
    pub fn roots(&self) -> &Roots {
        &self.roots
    }
}
