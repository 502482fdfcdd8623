//! PgBouncer in front of PostgreSQL: with the [`super::door`] before it, it stands for RDS Proxy.
//!
//! Apart from PostgreSQL because functions only ever reach the database through it, as behind RDS Proxy: session pooling, server
//! connections kept. It trusts who reaches its socket (`auth_type = trust`), which only the door can: TLS and the IAM token are
//! the door's. Invariant: it listens on no port, and towards PostgreSQL it verifies the certificate and logs in by SCRAM.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::door::MOST_CLIENTS;
use super::error::ServiceError;
use super::postgres::{DATABASE, Postgres, ROLE, socket_path};
use super::process::{Launch, ServiceProcess};
use super::programs;
use super::tool::Tool;
use super::user::ServiceUser;
use crate::certificates::Authority;

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_GRACE: Duration = Duration::from_secs(5);
/// No port: a part of its socket's name.
const SOCKET_NUMBER: u16 = 6432;

/// A running PgBouncer.
pub(crate) struct PgBouncer {
    process: ServiceProcess,
    socket: PathBuf,
    version: String,
}

impl PgBouncer {
    /// Starts it; returns when a query through it to PostgreSQL succeeded, PostgreSQL's certificate verified.
    pub(crate) async fn start(
        run_dir: &Path,
        authority: &Authority,
        user: &ServiceUser,
        postgres: &Postgres,
    ) -> Result<Self, ServiceError> {
        let program = programs::pgbouncer()?;
        let version = programs::version_of(&program).await?;
        let folder = user.new_folder(run_dir.join("pgbouncer"))?;
        let socket = socket_path(&folder, SOCKET_NUMBER)?;
        let users = folder.join("users.txt");
        user.write_file(&users, &format!("\"{ROLE}\" \"{}\"\n", postgres.password()))?;
        let paths = Paths { folder: &folder, users: &users, ca: authority.ca_path() };
        let configuration = folder.join("pgbouncer.ini");
        user.write_file(&configuration, &settings(&paths, postgres.port()))?;

        let mut command = Command::new(program);
        command.arg(&configuration);
        // It has no child and keeps nothing, so the kernel may end it as it likes.
        let (name, death_signal) = ("pgbouncer", Signal::SIGKILL);
        let process =
            ServiceProcess::start(Launch { name, command, run_dir, folder: &folder, user, death_signal })?;
        process.until_ready(&probe(&folder).await?, START_LIMIT).await?;
        Ok(Self { process, socket, version })
    }

    /// The Unix socket, in a folder that only its user and root may enter.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// The program's version, such as `1.18.0`.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// An error when it ended by itself.
    pub(crate) fn check(&self) -> Result<(), ServiceError> {
        self.process.check()
    }

    /// Ends it at once, with all its connections.
    pub(crate) async fn stop(self) -> Result<(), ServiceError> {
        self.process.stop(at_once(&self.version), STOP_GRACE).await
    }
}

/// The signal that means "at once": since 1.23 SIGTERM waits for the clients to leave, and SIGQUIT, which earlier versions do
/// not know, took its place.
fn at_once(version: &str) -> Signal {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let major_and_minor = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if major_and_minor >= (1, 23) { Signal::SIGQUIT } else { Signal::SIGTERM }
}

/// A query through the socket.
async fn probe(folder: &Path) -> Result<Tool, ServiceError> {
    let psql = programs::postgres_folder().await?.join("psql");
    let (folder, number) = (folder.to_string_lossy(), SOCKET_NUMBER.to_string());
    let mut arguments = vec!["-h", folder.as_ref(), "-p", &number, "-U", ROLE, "-d", DATABASE];
    arguments.extend(["-X", "-q", "-A", "-t", "-c", "SELECT 1"]);
    Ok(Tool::new(psql, &arguments))
}

struct Paths<'a> {
    folder: &'a Path,
    users: &'a Path,
    ca: &'a Path,
}

fn settings(paths: &Paths<'_>, postgres_port: u16) -> String {
    let Paths { folder, users, ca } = paths;
    let (folder, users, ca) = (folder.display(), users.display(), ca.display());
    // Clients may send startup parameters that cannot differ between pooled connections; RDS Proxy takes them too.
    // `server_idle_timeout` is in seconds: connections to PostgreSQL are kept for the whole run.
    format!(
        "[databases]
{DATABASE} = host=127.0.0.1 port={postgres_port} dbname={DATABASE}

[pgbouncer]
listen_addr =
listen_port = {SOCKET_NUMBER}
unix_socket_dir = {folder}
auth_type = trust
auth_file = {users}
pool_mode = session
default_pool_size = 200
max_client_conn = {MOST_CLIENTS}
server_idle_timeout = 86400
ignore_startup_parameters = extra_float_digits,search_path
server_tls_sslmode = verify-full
server_tls_ca_file = {ca}
log_connections = 0
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
