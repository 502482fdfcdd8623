//! A private Redis (or Valkey) server: TLS only, a password, nothing on disk.
//!
//! Apart because it alone is a cache: it stands for the ElastiCache node with in-transit encryption and AUTH. Invariant: it
//! has no plain port, and its password is in a file of its own user and in our client's environment, never in an argument.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::error::ServiceError;
use super::process::{Launch, ServiceProcess};
use super::programs;
use super::tool::Tool;
use super::user::ServiceUser;
use crate::certificates::Authority;

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_GRACE: Duration = Duration::from_secs(5);

/// A running Redis or Valkey.
pub(crate) struct Redis {
    process: ServiceProcess,
    name: &'static str,
    port: u16,
    password: String,
    version: String,
    client: Tool,
}

impl Redis {
    /// Starts it on `port`; returns when it answered PING over TLS.
    pub(crate) async fn start(
        run_dir: &Path,
        authority: &Authority,
        user: &ServiceUser,
        port: u16,
    ) -> Result<Self, ServiceError> {
        let programs = programs::redis()?;
        let version = programs::version_of(&programs.server).await?;
        let folder = user.new_folder(run_dir.join("redis"))?;
        let certificate = super::issue_for(authority, user, "redis")?;
        let password = super::random_password();
        let configuration = folder.join("redis.conf");
        let quoted = |path: &Path| format!("\"{}\"", path.display());
        let text = format!(
            "bind 127.0.0.1\nport 0\ntls-port {port}\ntls-auth-clients no\n\
             tls-cert-file {}\ntls-key-file {}\ntls-ca-cert-file {}\nrequirepass {password}\n\
             dir {}\nsave \"\"\nappendonly no\nmaxmemory 64mb\nmaxmemory-policy allkeys-lru\n\
             daemonize no\nlogfile \"\"\n",
            quoted(&certificate.cert_path),
            quoted(&certificate.key_path),
            quoted(authority.ca_path()),
            quoted(&folder),
        );
        user.write_file(&configuration, &text)?;

        let mut command = Command::new(&programs.server);
        command.arg(&configuration);
        let (name, death_signal) = (programs.name, Signal::SIGKILL);
        let process =
            ServiceProcess::start(Launch { name, command, run_dir, folder: &folder, user, death_signal })?;
        let ca = authority.ca_path().to_string_lossy();
        let port_text = port.to_string();
        let reach =
            ["-h", "127.0.0.1", "-p", &port_text, "--tls", "--cacert", ca.as_ref(), "--no-auth-warning"];
        let mut client = Tool::new(programs.client, &reach);
        client.environment = vec![("REDISCLI_AUTH", password.clone())];
        let redis = Self { process, name, port, password, version, client };
        redis.process.until_ready(&redis.command(&["PING"], "PONG"), START_LIMIT).await?;
        Ok(redis)
    }

    /// `redis` or `valkey`.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The TLS port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The password of the default user.
    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    /// The server's version, such as `7.0.15`.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Removes every key.
    pub(crate) async fn flush(&self) -> Result<(), ServiceError> {
        self.command(&["FLUSHALL", "SYNC"], "OK").run().await.map(drop)
    }

    /// Redis' own numbers since its start: `keyspace_hits`, `keyspace_misses`, and `calls_<command>` for every command that was
    /// ever called (our own `info`, `ping` and `flushall` are among them).
    pub(crate) async fn counters(&self) -> Result<BTreeMap<String, u64>, ServiceError> {
        let mut counters = BTreeMap::new();
        for section in ["stats", "commandstats"] {
            counters.extend(numbers_in(&self.command(&["INFO", section], "#").run().await?));
        }
        if counters.contains_key("keyspace_hits") && counters.contains_key("keyspace_misses") {
            return Ok(counters);
        }
        let answer = format!("{counters:?}");
        Err(ServiceError::Answer { name: self.name.to_owned(), what: "keyspace_hits", answer })
    }

    /// An error when the server ended by itself.
    pub(crate) fn check(&self) -> Result<(), ServiceError> {
        self.process.check()
    }

    /// Ends it.
    pub(crate) async fn stop(self) -> Result<(), ServiceError> {
        self.process.stop(Signal::SIGTERM, STOP_GRACE).await
    }

    fn command(&self, words: &[&str], expected: &'static str) -> Tool {
        let mut tool = self.client.clone();
        tool.arguments.extend(words.iter().map(|&word| word.to_owned()));
        tool.expected = expected;
        tool
    }
}

/// `keyspace_hits:1` and `cmdstat_get:calls=3,usec=..` lines of an INFO answer.
fn numbers_in(answer: &str) -> BTreeMap<String, u64> {
    let pairs = answer.lines().filter_map(|line| {
        let (name, value) = line.trim_end().split_once(':')?;
        if let Some(command) = name.strip_prefix("cmdstat_") {
            let calls = value.strip_prefix("calls=")?.split(',').next()?;
            return Some((format!("calls_{command}"), calls.parse().ok()?));
        }
        let wanted = matches!(name, "keyspace_hits" | "keyspace_misses");
        wanted.then(|| value.parse().ok()).flatten().map(|value| (name.to_owned(), value))
    });
    pairs.collect()
}
