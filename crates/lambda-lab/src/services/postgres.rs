//! A private PostgreSQL server: new data, one database, one role, TLS required over TCP.
//!
//! Apart from PgBouncer because `populate` and tests may look at it alone. It stands for the Aurora cluster; it is tuned to
//! start fast and to be thrown away (no fsync), not to be durable. Invariant: no password-less way in but the Unix socket in
//! a folder that only the server's user and root may enter.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::error::ServiceError;
use super::process::{Launch, ServiceProcess};
use super::programs;
use super::tool::Tool;
use super::user::ServiceUser;
use crate::certificates::Authority;

/// The one database, and the one role that owns it.
pub(crate) const DATABASE: &str = "app";
pub(crate) const ROLE: &str = "app";
/// The superuser that initdb makes; reachable over the Unix socket only.
const SUPERUSER: &str = "lambda_lab";
/// How long `initdb`, and then the server's start, may take.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long a fast shutdown may take.
const STOP_GRACE: Duration = Duration::from_secs(10);
/// A Unix socket's path must fit `sun_path`: 108 bytes on Linux, 104 on macOS, the last one being NUL.
const SOCKET_PATH_LIMIT: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// A running PostgreSQL server.
pub(crate) struct Postgres {
    process: ServiceProcess,
    port: u16,
    password: String,
    version: String,
    /// The superuser's `psql`, on the database [`DATABASE`].
    psql: Tool,
}

impl Postgres {
    /// Makes a data folder below `run_dir` and starts the server on `port`; returns when the database exists.
    pub(crate) async fn start(
        run_dir: &Path,
        authority: &Authority,
        user: &ServiceUser,
        port: u16,
    ) -> Result<Self, ServiceError> {
        let programs = programs::postgres_folder().await?;
        let version = programs::version_of(&programs.join("postgres")).await?;
        let folder = user.new_folder(run_dir.join("postgres"))?;
        socket_path(&folder, port)?;
        let data = initialize(&programs, run_dir, &folder, user).await?;
        let certificate = super::issue_for(authority, user, "postgres")?;
        let settings = settings(&folder, &certificate.cert_path, &certificate.key_path, port);
        user.write_file(&data.join("postgresql.auto.conf"), &settings)?;
        user.write_file(
            &data.join("pg_hba.conf"),
            "local all all trust\nhostssl all all samehost scram-sha-256\n",
        )?;

        let mut command = Command::new(programs.join("postgres"));
        command.arg("-D").arg(&data);
        // SIGQUIT is PostgreSQL's "immediate": unlike SIGKILL it lets the server free its shared memory.
        let (name, death_signal) = ("postgres", Signal::SIGQUIT);
        let process =
            ServiceProcess::start(Launch { name, command, run_dir, folder: &folder, user, death_signal })?;
        let folder = folder.to_string_lossy();
        let port_text = port.to_string();
        let reach = ["-h", folder.as_ref(), "-p", &port_text, "-U", SUPERUSER, "-d", "postgres"];
        process.until_ready(&Tool::new(programs.join("pg_isready"), &reach), START_LIMIT).await?;

        let password = super::random_password();
        let mut psql = Tool::new(programs.join("psql"), &reach);
        psql.arguments.extend(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"].map(str::to_owned));
        psql.input = format!(
            "CREATE ROLE {ROLE} LOGIN PASSWORD '{password}';\nCREATE DATABASE {DATABASE} OWNER {ROLE};\n"
        );
        psql.run().await?;
        psql.arguments.extend(["-d", DATABASE].map(str::to_owned));
        Ok(Self { process, port, password, version, psql })
    }

    /// The TCP port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The role's password.
    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    /// The server's version, such as `15.19`.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Brings the database into a state that only its rows decide: no dead rows, statistics of what there is now, a checkpoint.
    ///
    /// Otherwise autovacuum and the timed checkpoint do the same sooner or later, in the midst of what is being measured, and until
    /// then the planner guesses. Measured on 32 rows: a database that was written anew 200 times answers in 0.12 ms what it answers
    /// in 0.05 ms vacuumed, and the planner expects 64 rows where an UPDATE had passed; a vacuum takes 50 to 70 ms, the checkpoint 4.
    pub(crate) async fn tidy(&self) -> Result<(), ServiceError> {
        let input = "VACUUM (ANALYZE);\nCHECKPOINT;\n".to_owned();
        Tool { input, ..self.psql.clone() }.run().await.map(drop)
    }

    /// An error when the server ended by itself.
    pub(crate) fn check(&self) -> Result<(), ServiceError> {
        self.process.check()
    }

    /// Disconnects everybody and ends ("fast shutdown").
    pub(crate) async fn stop(self) -> Result<(), ServiceError> {
        self.process.stop(Signal::SIGINT, STOP_GRACE).await
    }
}

/// Where a server of PostgreSQL's protocol makes its socket.
pub(crate) fn socket_path(folder: &Path, port: u16) -> Result<PathBuf, ServiceError> {
    let path = folder.join(format!(".s.PGSQL.{port}"));
    if path.as_os_str().len() > SOCKET_PATH_LIMIT {
        return Err(ServiceError::LongSocketPath { path, limit: SOCKET_PATH_LIMIT });
    }
    Ok(path)
}

/// Runs `initdb`; returns the data folder.
async fn initialize(
    programs: &Path,
    run_dir: &Path,
    folder: &Path,
    user: &ServiceUser,
) -> Result<PathBuf, ServiceError> {
    let data = folder.join("data");
    let mut command = Command::new(programs.join("initdb"));
    command.arg("-D").arg(&data).args(["-U", SUPERUSER, "-E", "UTF8", "--locale=C"]);
    command.args(["--no-sync", "--no-instructions", "--auth-local=trust", "--auth-host=scram-sha-256"]);
    let (name, death_signal) = ("initdb", Signal::SIGTERM);
    let process = ServiceProcess::start(Launch { name, command, run_dir, folder, user, death_signal })?;
    process.until_done(START_LIMIT).await?;
    Ok(data)
}

/// The server's settings. `postgresql.auto.conf` is read after `postgresql.conf`, so these win.
fn settings(folder: &Path, certificate: &Path, key: &Path, port: u16) -> String {
    let quoted = |path: &Path| format!("'{}'", path.to_string_lossy().replace('\'', "''"));
    let settings = [
        ("listen_addresses", "'127.0.0.1'".to_owned()),
        ("port", port.to_string()),
        ("unix_socket_directories", quoted(folder)),
        ("ssl", "on".to_owned()),
        ("ssl_cert_file", quoted(certificate)),
        ("ssl_key_file", quoted(key)),
        ("password_encryption", "'scram-sha-256'".to_owned()),
        ("max_connections", "240".to_owned()),
        ("shared_buffers", "'32MB'".to_owned()),
        // Nothing is left in /dev/shm, however the server ends.
        ("dynamic_shared_memory_type", "mmap".to_owned()),
        // The data dies with the run.
        ("fsync", "off".to_owned()),
        ("synchronous_commit", "off".to_owned()),
        ("full_page_writes", "off".to_owned()),
        ("max_wal_senders", "0".to_owned()),
        ("wal_level", "minimal".to_owned()),
        ("log_destination", "'stderr'".to_owned()),
        ("logging_collector", "off".to_owned()),
    ];
    settings.map(|(name, value)| format!("{name} = {value}\n")).concat()
}
