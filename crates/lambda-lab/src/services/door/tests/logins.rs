//! Who is let in and who is not, in which words; and that what follows is PostgreSQL's.

use super::client::{
    ASK_GSSAPI, Told, app_startup, connect, next, packet, query, send, startup, until_closed,
};
use super::*;

fn iam_failed() -> Told {
    let words =
        "The IAM authentication failed for the role app. Check the IAM token for this role and try again.";
    Told::fatal("28P01", words)
}

/// What `psql` (libpq) says.
async fn psql(database: &Database, more: &str, environment: &[(&str, &str)]) -> Result<String, String> {
    let ca = database.authority.ca_path().display();
    let connection = format!("host=localhost port={} dbname=app sslrootcert={ca} {more}", database.port());
    let mut command = tokio::process::Command::new("psql");
    command.args(["-X", "-A", "-t", "-w", "-c", "SELECT 6 * 7", &connection]);
    let output = command.envs(environment.iter().copied()).output().await.unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).unwrap()),
        false => Err(String::from_utf8(output.stderr).unwrap()),
    }
}

#[tokio::test]
async fn a_token_of_botocore_opens_the_database_for_fifteen_minutes() {
    let database = Database::start().await;
    let (mut client, _) = database.log_in(database.port(), database.good()).await.unwrap();
    assert_eq!(query(&mut client, "SELECT current_user").await.unwrap(), ["app"]);
    database.set_age(900);
    let good = format!("user=app sslmode=verify-full password={}", database.good());
    assert_eq!(psql(&database, &good, &[]).await.unwrap(), "42\n");

    database.set_age(901);
    assert_eq!(database.log_in(database.port(), database.good()).await.unwrap_err(), iam_failed());
    let refused = psql(&database, &good, &[]).await.unwrap_err();
    assert!(refused.contains(&format!("FATAL:  {}", iam_failed().message)), "{refused}");
    // A token is looked at when a connection opens, never again.
    assert_eq!(query(&mut client, "SELECT 1").await.unwrap(), ["1"]);
    assert_eq!(database.logins(), 4);
    database.services.stop().await.unwrap();
}

#[tokio::test]
async fn a_wrong_token_is_refused_in_the_words_of_rds_proxy_without_a_reason() {
    let database = Database::start().await;
    let mut refused = 0;
    for (name, token) in
        database.made.tokens.iter().filter(|(name, _)| !["good", "for one minute"].contains(&name.as_str()))
    {
        let told = database.log_in(database.port(), token).await.unwrap_err();
        assert_eq!(told, iam_failed(), "{name}");
        refused += 1;
    }
    for token in ["", "secret", "%", &"a".repeat(65_534)] {
        assert_eq!(database.log_in(database.port(), token).await.unwrap_err(), iam_failed());
        refused += 1;
    }
    assert_eq!((refused, database.logins()), (18, 18));
    // After all of them, the right one.
    let short = &database.made.tokens["for one minute"];
    database.set_age(60);
    database.log_in(database.port(), short).await.unwrap();
    database.set_age(61);
    assert_eq!(database.log_in(database.port(), short).await.unwrap_err(), iam_failed());
}

const REQUIRES_TLS: &str = "This RDS Proxy requires TLS connections";
const NO_CREDENTIALS: &str = "This RDS proxy has no credentials for the role somebody. Check the credentials for this role and try again.";
const NO_USER: &str =
    "A user name is missing from the connection startup packet. Provide a user name for this connection.";
const NO_OPTIONS: &str = "Feature not supported: RDS Proxy currently doesn’t support command-line options.";
const NO_REPLICATION: &str =
    "Feature not supported: RDS Proxy currently doesn’t support streaming replication mode.";
const VERSION: &str =
    "Feature not supported: RDS Proxy supports only version 3.0 of the PostgreSQL messaging protocol.";
const LAYOUT: &str = "invalid startup packet layout: expected terminator as last byte";

#[tokio::test]
async fn what_rds_proxy_does_not_take_is_refused_in_its_words_to_libpq() {
    let database = Database::start().await;
    let good = format!("password={}", database.good());
    let tls = format!("{good} sslmode=verify-full");
    for (more, environment, words) in [
        (format!("{good} user=app sslmode=disable"), vec![], REQUIRES_TLS),
        (format!("{tls} user=somebody"), vec![], NO_CREDENTIALS),
        (format!("{tls} user=app"), vec![("PGOPTIONS", "-c search_path=public")], NO_OPTIONS),
        (format!("{tls} user=app replication=database"), vec![], NO_REPLICATION),
    ] {
        let refused = psql(&database, &more, &environment).await.unwrap_err();
        assert!(refused.contains(&format!("FATAL:  {words}")), "{refused}");
    }
}

#[tokio::test]
async fn what_rds_proxy_does_not_take_is_refused_with_its_codes() {
    let database = Database::start().await;
    for (first, code, words) in [
        (startup(&[("user", "somebody")]), "28000", NO_CREDENTIALS),
        (startup(&[("database", "app")]), "28000", NO_USER),
        (startup(&[]), "28000", NO_USER),
        (startup(&[("user", "app"), ("options", "-c x=y")]), "0A000", NO_OPTIONS),
        (startup(&[("user", "app"), ("replication", "true")]), "0A000", NO_REPLICATION),
        (packet(b"\0\x02\0\0user\0app\0\0"), "0A000", VERSION),
        (packet(b"\0\x03\0\x02user\0app\0\0"), "0A000", VERSION),
        (packet(b"\0\x03\0\0"), "08P01", LAYOUT),
        (packet(b"\0\x03\0\0user\0app\0"), "08P01", LAYOUT),
        (packet(b"\0\x03\0\0user\0app\0\0more\0"), "08P01", LAYOUT),
        (packet(b"\0\x03\0\0user\0app\0\0\0"), "08P01", LAYOUT),
        (packet(b"\0\x03\0\0user\0\0"), "08P01", LAYOUT),
    ] {
        let mut client = database.connect_tls(database.port()).await;
        let all = until_closed(&mut client, &first).await;
        assert_eq!(Told::alone(&all), Told::fatal(code, words), "{first:?}");
    }
    let all = until_closed(&mut connect(database.port()).await, &app_startup()).await;
    assert_eq!(Told::alone(&all), Told::fatal("28000", REQUIRES_TLS));
    // Off is off, and the last user named is the one.
    let mut client = database.connect_tls(database.port()).await;
    let parameters = [("user", "x"), ("user", "app"), ("replication", "off"), ("options", "")];
    send(&mut client, &startup(&parameters)).await.unwrap();
    assert_eq!(next(&mut client).await.0, b'R');
}

#[tokio::test]
async fn a_client_may_ask_for_gssapi_first() {
    let database = Database::start().await;
    let mut stream = connect(database.port()).await;
    let told = until_closed(&mut stream, &[ASK_GSSAPI.as_slice(), &app_startup()].concat()).await;
    let (no, told) = told.split_at(1);
    assert_eq!(no, b"N");
    assert_eq!(Told::alone(told), Told::fatal("28000", REQUIRES_TLS));
}

#[tokio::test]
async fn much_data_goes_both_ways_on_many_connections_at_once() {
    let database = Arc::new(Database::start().await);
    let clients = (0..20).map(|number| {
        let database = Arc::clone(&database);
        async move {
            let (mut client, _) = database.log_in(database.port(), database.good()).await.unwrap();
            let text = char::from(b'a' + number).to_string().repeat(700_000);
            let rows = query(&mut client, &format!("SELECT '{text}' || repeat('-', 700000)")).await.unwrap();
            assert_eq!(rows, [text + &"-".repeat(700_000)]);
            let rows = query(&mut client, "SELECT n FROM generate_series(1, 20000) n").await.unwrap();
            assert_eq!(rows.len(), 20_000);
        }
    });
    futures_util::future::join_all(clients).await;
    assert_eq!(database.logins(), 20);
}

#[tokio::test]
async fn a_query_is_cancelled_from_a_connection_with_or_without_tls() {
    let database = Database::start().await;
    for with_tls in [false, true] {
        let (mut client, key) = database.log_in(database.port(), database.good()).await.unwrap();
        let sleeping = tokio::spawn(async move { query(&mut client, "SELECT pg_sleep(60)").await });
        let (mut watcher, _) = database.log_in(database.port(), database.good()).await.unwrap();
        let running =
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'";
        while query(&mut watcher, running).await.unwrap() != ["1"] {}
        let cancel = packet(&[&[4, 210, 22, 46], key.as_slice()].concat());
        let answer = match with_tls {
            true => until_closed(&mut database.connect_tls(database.port()).await, &cancel).await,
            false => until_closed(&mut connect(database.port()).await, &cancel).await,
        };
        assert_eq!(answer, b"");
        let told = sleeping.await.unwrap().unwrap_err();
        assert_eq!(
            (told.code.as_str(), told.message.as_str()),
            ("57014", "canceling statement due to user request")
        );
    }
}
