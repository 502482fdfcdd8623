//! The door with real PostgreSQL and PgBouncer behind it, tokens of AWS's own making, and a clock that stands where it is put.

mod client;
mod hostile;
mod latency;
mod logins;
mod token;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use super::{DatabaseIam, Door, Guarded};
use crate::certificates::Authority;
use crate::services::run_dir::RunDir;
use crate::services::{Services, free_port, postgres};

/// The port that botocore signed the tokens for.
const SIGNED_PORT: u16 = 35432;

/// What `tokens.py` wrote.
#[derive(Deserialize)]
struct Made {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    unix_seconds: u64,
    tokens: BTreeMap<String, String>,
}

fn made() -> Made {
    serde_json::from_str(include_str!("tokens.json")).unwrap()
}

impl Made {
    fn iam(&self) -> DatabaseIam {
        DatabaseIam {
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret_access_key.clone(),
            session_token: Some(self.session_token.clone()),
            region: "us-east-1".to_owned(),
        }
    }

    /// When the tokens were signed.
    fn time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.unix_seconds)
    }
}

/// All servers, and the door in front of them. Dropped in this order.
struct Database {
    services: Services,
    authority: Authority,
    run_dir: RunDir,
    /// How long ago the tokens were signed, in seconds.
    age_s: Arc<AtomicU64>,
    made: Made,
}

impl Database {
    async fn start() -> Self {
        let run_dir = RunDir::create().unwrap();
        let authority = Authority::create(run_dir.path()).unwrap();
        let (made, age_s) = (made(), Arc::new(AtomicU64::new(0)));
        let (time, age) = (made.time(), Arc::clone(&age_s));
        let clock = Arc::new(move || time + Duration::from_secs(age.load(Ordering::Relaxed)));
        let services =
            Services::start_on(run_dir.path(), &authority, &made.iam(), clock, free_port).await.unwrap();
        services.advertise_database_port(SIGNED_PORT);
        assert_eq!(services.values()["database.port"], SIGNED_PORT.to_string());
        Self { services, authority, run_dir, age_s, made }
    }

    /// Where the door really listens.
    fn port(&self) -> u16 {
        self.services.database_address().port()
    }

    fn good(&self) -> &str {
        &self.made.tokens["good"]
    }

    fn set_age(&self, seconds: u64) {
        self.age_s.store(seconds, Ordering::Relaxed);
    }

    fn logins(&self) -> u64 {
        self.services.door.logins()
    }

    /// A second door to the same PgBouncer (or to `socket`), with limits of its own.
    fn second_door(&self, socket: Option<&str>, most_clients: usize, login_limit: Duration) -> Door {
        let socket = socket.map_or_else(|| self.services.pgbouncer.socket().to_path_buf(), Into::into);
        let (iam, time) = (self.made.iam(), self.made.time());
        let guarded = Guarded { iam, role: postgres::ROLE, socket, clock: Arc::new(move || time) };
        let door = Door::open_with(&self.authority, guarded, most_clients, login_limit).unwrap();
        door.advertise(SIGNED_PORT);
        door
    }
}
