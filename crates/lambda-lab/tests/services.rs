//! The real servers, brought up and down on loopback: what they answer, and that nothing of them is left.
#![allow(clippy::unwrap_used)] // In helpers of tests, as in tests.

mod services_common;

use std::path::Path;
use std::time::{Duration, Instant};

use lambda_lab::certificates::Authority;
use lambda_lab::services::Services;
use lambda_lab::services::run_dir::RunDir;
use services_common::token::{iam, token};
use services_common::{process_exists, recorded_processes, run, socket_exists, user_of, wait_until};

/// What `psql` says with a token of now, as a function would reach the database, with another trust root if `ca` is given.
fn psql(
    services: &Services,
    user: &str,
    ca: Option<&Path>,
    sslmode: &str,
    sql: &str,
) -> Result<String, String> {
    let values = services.values();
    let ca = ca.map_or(values["ca.bundle"].clone(), |path| path.display().to_string());
    let token = token(&values, user, Duration::ZERO);
    let connection = format!(
        "host={} port={} dbname={} user={user} password={token} sslmode={sslmode} sslrootcert={ca}",
        values["database.host"], values["database.port"], values["database.name"],
    );
    run("psql", &["-X", "-A", "-t", "-c", sql, &connection], &[])
}

fn redis(services: &Services, password: &str, more: &[&str]) -> Result<String, String> {
    let values = services.values();
    let mut arguments = vec!["-h", "127.0.0.1", "-p", &values["cache.port"], "--no-auth-warning"];
    arguments.extend_from_slice(more);
    run("redis-cli", &arguments, &[("REDISCLI_AUTH", password)])
}

/// Everything started, in a run folder of its own. Dropped in this order: the servers first, then their folder.
struct Lab {
    services: Services,
    run_dir: RunDir,
}

impl Lab {
    async fn start() -> Self {
        let run_dir = RunDir::create().unwrap();
        let authority = Authority::create(run_dir.path()).unwrap();
        let before = Instant::now();
        let services = Services::start(run_dir.path(), &authority, &iam()).await.unwrap();
        println!("started in {} ms: {:?}", before.elapsed().as_millis(), services.versions());
        Self { services, run_dir }
    }
}

/// An authority that nobody trusts, with its folder.
fn stranger() -> (Authority, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Authority::create(folder.path()).unwrap(), folder)
}

#[tokio::test]
async fn the_database_is_reached_with_a_token_over_verified_tls() {
    let lab = Lab::start().await;
    let services = &lab.services;
    let user = services.values()["database.user"].clone();

    // The role owns its database, and the way from PgBouncer to PostgreSQL is encrypted as well.
    let sql = "CREATE TABLE t (n int); INSERT INTO t VALUES (7); SELECT n FROM t";
    let answer = psql(services, &user, None, "verify-full", sql).unwrap();
    assert!(answer.ends_with("7\n"), "{answer}");
    let sql = "SELECT ssl::text || ' ' || version FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert_eq!(psql(services, &user, None, "verify-full", sql).unwrap(), "true TLSv1.3\n");

    // Refused: no TLS, another authority, another user.
    let refused = psql(services, &user, None, "disable", "SELECT 1").unwrap_err();
    assert!(refused.contains("This RDS Proxy requires TLS connections"), "{refused}");
    let (stranger, _folder) = stranger();
    let refused = psql(services, &user, Some(stranger.ca_path()), "verify-full", "SELECT 1").unwrap_err();
    assert!(refused.contains("certificate verify failed"), "{refused}");
    let refused = psql(services, "somebody", None, "verify-full", "SELECT 1").unwrap_err();
    assert!(refused.contains("This RDS proxy has no credentials for the role somebody"), "{refused}");

    // Who asked to log in is counted, the unknown user too; those who never got through TLS did not ask.
    assert_eq!(services.counters().await.unwrap().pgbouncer["logins"], 3);
}

#[tokio::test]
async fn the_cache_wants_tls_and_its_password_counts_and_can_be_emptied() {
    let lab = Lab::start().await;
    let services = &lab.services;
    let (ca, password) =
        (services.values()["ca.bundle"].clone(), services.values()["cache.password"].clone());
    let tls = ["--tls", "--cacert", &ca];
    let with_tls = |words: &[&'static str]| [&tls[..], words].concat();

    assert_eq!(redis(services, &password, &with_tls(&["SET", "key", "value"])).unwrap(), "OK\n");
    assert_eq!(redis(services, &password, &with_tls(&["GET", "key"])).unwrap(), "value\n");
    assert_eq!(redis(services, &password, &with_tls(&["GET", "other"])).unwrap(), "\n");
    let counters = services.counters().await.unwrap().redis;
    let of = |name: &str| counters.get(name).copied();
    assert_eq!((of("keyspace_hits"), of("keyspace_misses")), (Some(1), Some(1)), "{counters:?}");
    assert_eq!((of("calls_get"), of("calls_set")), (Some(2), Some(1)), "{counters:?}");
    services.flush_cache().await.unwrap();
    assert_eq!(redis(services, &password, &with_tls(&["GET", "key"])).unwrap(), "\n");

    let refused = redis(services, "wrong", &with_tls(&["GET", "key"])).unwrap();
    assert!(refused.contains("NOAUTH"), "{refused}");
    assert!(redis(services, &password, &["GET", "key"]).is_err(), "a client without TLS was served");
    let (stranger, _folder) = stranger();
    let strange_ca = stranger.ca_path().to_str().unwrap();
    let refused = redis(services, &password, &["--tls", "--cacert", strange_ca, "PING"]).unwrap_err();
    assert!(refused.contains("certificate verify failed"), "{refused}");
}

#[tokio::test]
async fn none_runs_as_root_and_stopping_leaves_nothing() {
    let Lab { services, run_dir } = Lab::start().await;
    let path = run_dir.path().to_path_buf();
    services.check().unwrap();
    let processes = recorded_processes(&path);
    let names: Vec<&str> = processes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["pgbouncer", "postgres", "redis"]);
    for (name, pid) in &processes {
        assert_ne!(user_of(*pid), Some(0), "{name} runs as root");
    }

    let before = Instant::now();
    services.stop().await.unwrap();
    println!("stopped in {} ms", before.elapsed().as_millis());
    for (name, pid) in &processes {
        assert!(!process_exists(*pid), "{name} ({pid}) is left");
    }
    assert_eq!(recorded_processes(&path), [], "pid files are left");
    run_dir.remove().unwrap();
    assert!(!path.exists(), "{} is left", path.display());
}

#[tokio::test]
async fn dropping_ends_them_too() {
    let Lab { services, run_dir } = Lab::start().await;
    let path = run_dir.path().to_path_buf();
    let processes = recorded_processes(&path);
    let port: u16 = services.values()["database.port"].parse().unwrap();
    assert!(processes.len() == 3 && socket_exists(port));
    drop(services);
    for (name, pid) in &processes {
        assert!(!process_exists(*pid), "{name} ({pid}) is left");
    }
    assert!(!socket_exists(port), "the database's port {port} still answers");
    drop(run_dir);
    assert!(!path.exists(), "{} is left", path.display());
}

#[tokio::test]
async fn a_server_that_ends_by_itself_is_noticed_with_its_log() {
    let Lab { services, run_dir } = Lab::start().await;
    services.check().unwrap();
    let processes = recorded_processes(run_dir.path());
    let (_, pid) = processes.iter().find(|(name, _)| name == "postgres").unwrap();
    run("kill", &["-QUIT", &pid.to_string()], &[]).unwrap();
    wait_until("the end is noticed", || services.check().is_err());
    let error = services.check().unwrap_err().to_string();
    assert!(error.contains("postgres ended by itself"), "{error}");
    assert!(error.contains("received immediate shutdown request"), "{error}");
    services.stop().await.unwrap();
}
