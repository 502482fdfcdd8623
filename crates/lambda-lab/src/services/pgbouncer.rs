//! PgBouncer in front of PostgreSQL: it stands for RDS Proxy.
//!
//! Apart from PostgreSQL because functions only ever reach the database through it, as behind RDS Proxy: TLS required from
//! the client, session pooling, server connections kept. What it does not do: **the client's IAM token is not verified.**
//! `auth_type = trust` lets the one configured user in with any password, so a function with a wrong or expired token, which
//! RDS Proxy would refuse, is served here. Invariant: towards PostgreSQL it verifies the certificate and logs in by SCRAM.

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::Signal;

use super::error::ServiceError;
use super::pgbouncer_log::Logins;
use super::postgres::{DATABASE, Postgres, ROLE};
use super::process::{Launch, ServiceProcess};
use super::programs;
use super::tool::Tool;
use super::user::ServiceUser;
use crate::certificates::Authority;

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_GRACE: Duration = Duration::from_secs(5);

/// A running PgBouncer.
pub(crate) struct PgBouncer {
    process: ServiceProcess,
    port: u16,
    version: String,
    logins: Mutex<Logins>,
}

impl PgBouncer {
    /// Starts it on `port`; returns when a query through it to PostgreSQL succeeded, all certificates verified.
    pub(crate) async fn start(
        run_dir: &Path,
        authority: &Authority,
        user: &ServiceUser,
        postgres: &Postgres,
        port: u16,
    ) -> Result<Self, ServiceError> {
        let program = programs::pgbouncer()?;
        let version = programs::version_of(&program).await?;
        let folder = user.new_folder(run_dir.join("pgbouncer"))?;
        let certificate = super::issue_for(authority, user, "pgbouncer")?;
        let users = folder.join("users.txt");
        user.write_file(&users, &format!("\"{ROLE}\" \"{}\"\n", postgres.password()))?;
        let paths = Paths {
            users: &users,
            certificate: &certificate.cert_path,
            key: &certificate.key_path,
            ca: authority.ca_path(),
        };
        let configuration = folder.join("pgbouncer.ini");
        user.write_file(&configuration, &settings(&paths, port, postgres.port()))?;

        let mut command = Command::new(program);
        command.arg(&configuration);
        // It has no child and keeps nothing, so the kernel may end it as it likes.
        let (name, death_signal) = ("pgbouncer", Signal::SIGKILL);
        let process =
            ServiceProcess::start(Launch { name, command, run_dir, folder: &folder, user, death_signal })?;
        process.until_ready(&probe(authority, port).await?, START_LIMIT).await?;
        let logins = Logins::new(process.log_path());
        let pgbouncer = Self { process, port, version, logins: Mutex::new(logins) };
        // Our own probes are not the functions' logins.
        pgbouncer.lock_logins().forget()?;
        Ok(pgbouncer)
    }

    /// The TCP port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The program's version, such as `1.18.0`.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Clients that asked to log in since the start, counted from PgBouncer's own log.
    pub(crate) fn logins(&self) -> Result<u64, ServiceError> {
        self.lock_logins().count()
    }

    /// An error when it ended by itself.
    pub(crate) fn check(&self) -> Result<(), ServiceError> {
        self.process.check()
    }

    /// Ends it at once, with all its connections.
    pub(crate) async fn stop(self) -> Result<(), ServiceError> {
        self.process.stop(at_once(&self.version), STOP_GRACE).await
    }

    fn lock_logins(&self) -> std::sync::MutexGuard<'_, Logins> {
        self.logins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The signal that means "at once": since 1.23 SIGTERM waits for the clients to leave, and SIGQUIT, which earlier versions do
/// not know, took its place.
fn at_once(version: &str) -> Signal {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let major_and_minor = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if major_and_minor >= (1, 23) { Signal::SIGQUIT } else { Signal::SIGTERM }
}

/// A query as a function would send it: by name, over verified TLS, with a password that nobody checks.
async fn probe(authority: &Authority, port: u16) -> Result<Tool, ServiceError> {
    let psql = programs::postgres_folder().await?.join("psql");
    let port = port.to_string();
    let arguments = [
        "-h",
        "localhost",
        "-p",
        &port,
        "-U",
        ROLE,
        "-d",
        DATABASE,
        "-X",
        "-q",
        "-A",
        "-t",
        "-c",
        "SELECT 1",
    ];
    let mut tool = Tool::new(psql, &arguments);
    tool.environment = vec![
        ("PGSSLMODE", "verify-full".to_owned()),
        ("PGSSLROOTCERT", authority.ca_path().display().to_string()),
        ("PGPASSWORD", "any".to_owned()),
    ];
    Ok(tool)
}

struct Paths<'a> {
    users: &'a Path,
    certificate: &'a Path,
    key: &'a Path,
    ca: &'a Path,
}

fn settings(paths: &Paths<'_>, port: u16, postgres_port: u16) -> String {
    let Paths { users, certificate, key, ca } = paths;
    let (users, certificate, key, ca) = (users.display(), certificate.display(), key.display(), ca.display());
    // Clients may send startup parameters that cannot differ between pooled connections; RDS Proxy takes them too.
    // `server_idle_timeout` is in seconds: connections to PostgreSQL are kept for the whole run.
    format!(
        "[databases]
{DATABASE} = host=127.0.0.1 port={postgres_port} dbname={DATABASE}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = session
default_pool_size = 200
max_client_conn = 1000
server_idle_timeout = 86400
ignore_startup_parameters = extra_float_digits,options,search_path
client_tls_sslmode = require
client_tls_cert_file = {certificate}
client_tls_key_file = {key}
server_tls_sslmode = verify-full
server_tls_ca_file = {ca}
log_connections = 1
log_disconnections = 0
log_stats = 0
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_is_ended_by_the_signal_that_means_at_once() {
        for (version, signal) in [
            ("1.18.0", Signal::SIGTERM),
            ("1.22.1", Signal::SIGTERM),
            ("1.23.0", Signal::SIGQUIT),
            ("2.0.0", Signal::SIGQUIT),
        ] {
            assert_eq!(at_once(version), signal, "{version}");
        }
    }
}
