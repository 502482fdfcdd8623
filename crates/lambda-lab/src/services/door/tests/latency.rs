//! What the door adds to a query and to a login, beside a PgBouncer that ends TLS itself. A measurement, not a test: it asserts
//! nothing about time. Optimized, since the lab that is used is:
//! `cargo test --release -p lambda-lab --lib -- --ignored --nocapture added_latency`.

use std::process::Command;
use std::time::Instant;

use nix::sys::signal::Signal;

use super::client::{Tls, app_startup, next, query, send};
use super::*;
use crate::services::process::{Launch, ServiceProcess};
use crate::services::tool::Tool;
use crate::services::user::ServiceUser;
use crate::services::{issue_for, programs};

const ROUNDS: usize = 100;
const QUERIES: usize = 100;
const LOGINS: usize = 50;

/// A PgBouncer as the lab had it before the door: TLS on a port, any password.
async fn pgbouncer_with_tls(database: &Database, port: u16) -> ServiceProcess {
    let (run_dir, authority) = (database.run_dir.path(), &database.authority);
    let user = ServiceUser::find().unwrap();
    let folder = user.new_folder(run_dir.join("measured")).unwrap();
    let certificate = issue_for(authority, &user, "measured").unwrap();
    let postgres = &database.services.postgres;
    user.write_file(&folder.join("users.txt"), &format!("\"app\" \"{}\"\n", postgres.password())).unwrap();
    let (cert, key) = (certificate.cert_path.display(), certificate.key_path.display());
    let (postgres, ca, folder_name) = (postgres.port(), authority.ca_path().display(), folder.display());
    let settings = format!(
        "[databases]\napp = host=127.0.0.1 port={postgres} dbname=app\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
         listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {folder_name}/users.txt\n\
         pool_mode = session\nclient_tls_sslmode = require\nclient_tls_cert_file = {cert}\nclient_tls_key_file = {key}\n\
         server_tls_sslmode = verify-full\nserver_tls_ca_file = {ca}\n"
    );
    let configuration = folder.join("pgbouncer.ini");
    user.write_file(&configuration, &settings).unwrap();
    let mut command = Command::new(programs::pgbouncer().unwrap());
    command.arg(&configuration);
    let (name, death_signal) = ("measured", Signal::SIGKILL);
    let launch = Launch { name, command, run_dir, folder: &folder, user: &user, death_signal };
    let process = ServiceProcess::start(launch).unwrap();
    let psql = programs::postgres_folder().await.unwrap().join("psql");
    let connection = format!("host=localhost port={port} user=app dbname=app sslmode=require");
    process
        .until_ready(&Tool::new(psql, &["-X", "-c", "SELECT 1", &connection]), Duration::from_secs(30))
        .await
        .unwrap();
    process
}

/// Logs in where nobody asks for a password.
async fn log_in_trusted(database: &Database, port: u16) -> Tls {
    let mut stream = database.connect_tls(port).await;
    send(&mut stream, &app_startup()).await.unwrap();
    while next(&mut stream).await.0 != b'Z' {}
    stream
}

fn report(name: &str, times: &mut [Duration]) {
    times.sort();
    let at = |share: usize| times[times.len() * share / 100].as_secs_f64() * 1e6;
    println!(
        "{name:<34} n {:>5}  p50 {:>8.1} us  p90 {:>8.1} us  p99 {:>8.1} us",
        times.len(),
        at(50),
        at(90),
        at(99)
    );
}

async fn measure(stream: &mut Tls, times: &mut Vec<Duration>) {
    for _ in 0..QUERIES {
        let before = Instant::now();
        query(stream, "SELECT 1").await.unwrap();
        times.push(before.elapsed());
    }
}

#[tokio::test]
#[ignore = "a measurement; see the head of the file"]
async fn added_latency() {
    let database = Database::start().await;
    let port = free_port().unwrap();
    let pgbouncer = pgbouncer_with_tls(&database, port).await;
    let mut direct = log_in_trusted(&database, port).await;
    let (mut through, _) = database.log_in(database.port(), database.good()).await.unwrap();
    let (mut direct_times, mut through_times) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        measure(&mut direct, &mut direct_times).await;
        measure(&mut through, &mut through_times).await;
    }
    report("query, PgBouncer's own TLS", &mut direct_times);
    report("query, through the door", &mut through_times);
    let (mut direct_times, mut through_times) = (Vec::new(), Vec::new());
    for _ in 0..LOGINS {
        let before = Instant::now();
        log_in_trusted(&database, port).await;
        direct_times.push(before.elapsed());
        let before = Instant::now();
        database.log_in(database.port(), database.good()).await.unwrap();
        through_times.push(before.elapsed());
    }
    report("login, PgBouncer's own TLS, trusted", &mut direct_times);
    report("login, through the door, by token", &mut through_times);
    pgbouncer.stop(Signal::SIGTERM, Duration::from_secs(5)).await.unwrap();
}
