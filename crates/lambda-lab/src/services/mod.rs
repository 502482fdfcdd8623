//! The real servers behind the functions: PostgreSQL, PgBouncer and RDS Proxy's door in front of it, and Redis (or Valkey).
//!
//! Apart from the sandboxes because functions know them by their parameters only. [`Services`] starts them on free
//! loopback ports with their data below the run folder ([`run_dir`]) and ends them. Invariant: no server that we did not
//! start is ever touched, and none that we started outlives us.

mod door;
mod error;
mod pgbouncer;
mod pid_file;
mod postgres;
mod process;
mod programs;
mod redis;
pub mod run_dir;
mod tool;
mod user;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

pub use crate::tied::spawn_tied;
pub use door::DatabaseIam;
pub use error::ServiceError;

use crate::certificates::{Authority, Issued};
use door::{Clock, Door, Guarded};
use pgbouncer::PgBouncer;
use postgres::Postgres;
use redis::Redis;
use user::ServiceUser;

/// What the servers counted since they were ready.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceCounters {
    /// Before PgBouncer: `logins`, the clients that asked to log in (over TLS; refused ones are among them).
    pub pgbouncer: BTreeMap<String, u64>,
    /// Redis': `keyspace_hits`, `keyspace_misses`, and `calls_<command>` for every command called so far.
    pub redis: BTreeMap<String, u64>,
}

/// One lab's servers. [`Services::stop`] ends them gently; dropping ends them at once, blocking until they are gone.
pub struct Services {
    // In the order of dropping: what uses another goes first.
    door: Door,
    pgbouncer: PgBouncer,
    redis: Redis,
    postgres: Postgres,
    ca_path: PathBuf,
}

impl Services {
    /// Starts all, each in a folder of its own below `run_dir`, and returns when each server has answered a client. The database
    /// takes the tokens of `iam`.
    ///
    /// When we are root they run as `postgres` or `nobody`, which must be able to pass through `run_dir`. Another program may
    /// take a port between our finding it free and the server's start; then all is started once more.
    ///
    /// # Errors
    /// [`ServiceError`], which says what is missing or quotes the server's log. What had started is ended.
    pub async fn start(
        run_dir: &Path,
        authority: &Authority,
        iam: &DatabaseIam,
    ) -> Result<Self, ServiceError> {
        Self::start_on(run_dir, authority, iam, Arc::new(SystemTime::now), free_port).await
    }

    /// As [`Services::start`], with a clock for the age of tokens and `next_port` asked for each of the servers' ports.
    async fn start_on(
        run_dir: &Path,
        authority: &Authority,
        iam: &DatabaseIam,
        clock: Clock,
        mut next_port: impl FnMut() -> Result<u16, ServiceError>,
    ) -> Result<Self, ServiceError> {
        let user = ServiceUser::find()?;
        user.require_way_to(run_dir)?;
        let mut ports = || Ok::<_, ServiceError>([next_port()?, next_port()?]);
        let servers = match start_servers(run_dir, authority, &user, ports()?).await {
            Err(error) if error.is_port_taken() => start_servers(run_dir, authority, &user, ports()?).await,
            result => result,
        };
        let (postgres, pgbouncer, redis) = servers?;
        let socket = pgbouncer.socket().to_path_buf();
        let door = Door::open(authority, Guarded { iam: iam.clone(), role: postgres::ROLE, socket, clock })?;
        Ok(Self { door, pgbouncer, redis, postgres, ca_path: authority.ca_path().to_path_buf() })
    }

    /// Where the database's door listens: what a delay line in front of it leads to.
    pub fn database_address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.door.port()))
    }

    /// From now on functions are given `port` for the database's, one that leads to it: tokens must be signed for it.
    pub fn advertise_database_port(&self, port: u16) {
        self.door.advertise(port);
    }

    /// What functions need to reach them: `database.host`, `database.port` (the door's), `database.name`, `database.user`,
    /// `cache.host`, `cache.port`, `cache.password`, and `ca.bundle`, the path of the PEM file to trust.
    pub fn values(&self) -> BTreeMap<String, String> {
        let values = [
            ("database.host", Door::host().to_owned()),
            ("database.port", self.door.advertised_port().to_string()),
            ("database.name", postgres::DATABASE.to_owned()),
            ("database.user", postgres::ROLE.to_owned()),
            ("cache.host", "localhost".to_owned()),
            ("cache.port", self.redis.port().to_string()),
            ("cache.password", self.redis.password().to_owned()),
            ("ca.bundle", self.ca_path.display().to_string()),
        ];
        values.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// Versions by name: `postgresql`, `pgbouncer`, and `redis` or `valkey`.
    pub fn versions(&self) -> BTreeMap<String, String> {
        let versions = [
            ("postgresql", self.postgres.version()),
            ("pgbouncer", self.pgbouncer.version()),
            (self.redis.name(), self.redis.version()),
        ];
        versions.map(|(name, version)| (name.to_owned(), version.to_owned())).into()
    }

    /// What the servers themselves counted. Runs `redis-cli`, so it costs some milliseconds: not for the time being measured.
    ///
    /// # Errors
    /// [`ServiceError`] when a server does not answer.
    pub async fn counters(&self) -> Result<ServiceCounters, ServiceError> {
        let pgbouncer = BTreeMap::from([("logins".to_owned(), self.door.logins())]);
        Ok(ServiceCounters { pgbouncer, redis: self.redis.counters().await? })
    }

    /// Empties the cache.
    ///
    /// # Errors
    /// [`ServiceError`] when Redis does not answer.
    pub async fn flush_cache(&self) -> Result<(), ServiceError> {
        self.redis.flush().await
    }

    /// Leaves the database without dead rows, with fresh statistics for its planner, and with nothing left to write back.
    ///
    /// # Errors
    /// [`ServiceError`] when PostgreSQL does not answer.
    pub async fn tidy_database(&self) -> Result<(), ServiceError> {
        self.postgres.tidy().await
    }

    /// Tells whether all servers still run.
    ///
    /// # Errors
    /// [`ServiceError::Ended`], which quotes the log, when one ended by itself.
    pub fn check(&self) -> Result<(), ServiceError> {
        self.pgbouncer.check()?;
        self.redis.check()?;
        self.postgres.check()
    }

    /// Ends all, the door first; whatever the result, they are gone on return.
    ///
    /// # Errors
    /// [`ServiceError::Killed`] when one did not end when told to.
    pub async fn stop(self) -> Result<(), ServiceError> {
        drop(self.door);
        let pgbouncer = self.pgbouncer.stop().await;
        let redis = self.redis.stop().await;
        let postgres = self.postgres.stop().await;
        pgbouncer.and(redis).and(postgres)
    }
}

async fn start_servers(
    run_dir: &Path,
    authority: &Authority,
    user: &ServiceUser,
    ports: [u16; 2],
) -> Result<(Postgres, PgBouncer, Redis), ServiceError> {
    let [postgres_port, redis_port] = ports;
    let database = async {
        let postgres = Postgres::start(run_dir, authority, user, postgres_port).await?;
        let pgbouncer = PgBouncer::start(run_dir, authority, user, &postgres).await?;
        Ok((postgres, pgbouncer))
    };
    let cache = Redis::start(run_dir, authority, user, redis_port);
    let ((postgres, pgbouncer), redis) = tokio::try_join!(database, cache)?;
    Ok((postgres, pgbouncer, redis))
}

/// A port on 127.0.0.1 that was free a moment ago.
fn free_port() -> Result<u16, ServiceError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).map_err(no_port)
}

fn no_port(source: io::Error) -> ServiceError {
    ServiceError::file("listen on", "127.0.0.1")(source)
}

/// A certificate whose key the server's user may read.
fn issue_for(authority: &Authority, user: &ServiceUser, name: &str) -> Result<Issued, ServiceError> {
    let issued = authority.issue(name)?;
    user.give(&issued.key_path)?;
    Ok(issued)
}

/// 122 random bits as 32 hexadecimal digits: nothing to quote in any configuration file.
fn random_password() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
