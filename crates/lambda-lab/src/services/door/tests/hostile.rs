//! Clients that send what no client should, too much, too slowly or too often: each is answered, and others are served.

use tokio::io::AsyncReadExt as _;

use super::client::{
    ASK_GSSAPI, ASK_TLS, Told, app_startup, connect, message, next, packet, password, query, send,
    until_closed,
};
use super::*;

const NEVER: Duration = Duration::from_secs(3600);

async fn still_serves(database: &Database) {
    let (mut client, _) = database.log_in(database.port(), database.good()).await.unwrap();
    assert_eq!(query(&mut client, "SELECT 1").await.unwrap(), ["1"]);
}

#[tokio::test]
async fn first_messages_that_are_none_are_answered() {
    let database = Database::start().await;
    let length = Told::fatal("08P01", "invalid length of startup packet");
    let gigabyte = [&[0x40, 0, 0, 0], [b'x'; 4096].as_slice()].concat();
    for first in [
        &[0, 0, 0, 0][..],
        &[0, 0, 0, 7, 1, 2, 3],
        &[0, 0, 0x27, 0x11],
        &[0xff; 64],
        &gigabyte,
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        let all = until_closed(&mut connect(database.port()).await, first).await;
        assert_eq!(Told::alone(&all), length, "{first:?}");
        let all = until_closed(&mut database.connect_tls(database.port()).await, first).await;
        assert_eq!(Told::alone(&all), length, "{first:?} over TLS");
    }
    // TLS without asking for it: an alert, in TLS' own words.
    let all =
        until_closed(&mut connect(database.port()).await, &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]).await;
    assert_eq!(all, [0x15, 3, 3, 0, 2, 2, 40]);
    // Encryption asked for within TLS, and GSSAPI twice.
    let version =
        "Feature not supported: RDS Proxy supports only version 3.0 of the PostgreSQL messaging protocol.";
    for first in [ASK_TLS, ASK_GSSAPI] {
        let all = until_closed(&mut database.connect_tls(database.port()).await, &first).await;
        assert_eq!(Told::alone(&all), Told::fatal("0A000", version));
    }
    let all = until_closed(&mut connect(database.port()).await, &[ASK_GSSAPI, ASK_GSSAPI].concat()).await;
    assert_eq!((all[0], Told::alone(&all[1..])), (b'N', Told::fatal("0A000", version)));
    assert_eq!(database.logins(), 0);
    still_serves(&database).await;
}

#[tokio::test]
async fn what_was_smuggled_before_tls_is_not_taken_for_the_clients() {
    // As in CVE-2021-23214: plain text sent behind the question for TLS, to be taken for what comes within.
    let database = Database::start().await;
    let mut stream = connect(database.port()).await;
    let smuggled = [ASK_TLS.as_slice(), &app_startup(), &password(database.good())].concat();
    let all = until_closed(&mut stream, &smuggled).await;
    assert_eq!(all[0], b'S');
    assert!(!all[1..].contains(&b'R'), "{all:?}");
    assert_eq!(database.logins(), 0);
}

#[tokio::test]
async fn answers_that_are_no_password_are_answered() {
    let database = Database::start().await;
    let size = "invalid password packet size";
    let expected = |kind: u8| format!("expected password response, got message type {kind}");
    let no_zero = message(b'p', database.good().as_bytes());
    let two_zeros = message(b'p', b"secret\0more\0");
    let long = message(b'p', &[b'x'; 65_536]);
    let words = [
        (message(b'Q', b"SELECT 1\0"), expected(b'Q')),
        (app_startup(), expected(0)),
        (vec![b'p', 0, 0, 0, 0], size.to_owned()),
        (vec![b'p', 0, 0, 0, 4], size.to_owned()),
        (vec![b'p', 0x40, 0, 0, 0, b'x'], size.to_owned()),
        (vec![b'p', 0xff, 0xff, 0xff, 0xff, b'x'], size.to_owned()),
        (no_zero, size.to_owned()),
        (two_zeros, size.to_owned()),
        (long, size.to_owned()),
    ];
    for (answer, words) in words {
        let mut client = database.connect_tls(database.port()).await;
        send(&mut client, &app_startup()).await.unwrap();
        assert_eq!(next(&mut client).await, (b'R', vec![0, 0, 0, 3]));
        let all = until_closed(&mut client, &answer).await;
        assert_eq!(Told::alone(&all), Told::fatal("08P01", &words), "{:?}", &answer[..5]);
    }
    // Who takes his leave is told nothing.
    let mut client = database.connect_tls(database.port()).await;
    send(&mut client, &app_startup()).await.unwrap();
    next(&mut client).await;
    send(&mut client, &message(b'X', b"")).await.unwrap();
    let mut rest = Vec::new();
    // Closed without TLS' own goodbye, since it had said its own.
    let _ = client.read_to_end(&mut rest).await;
    assert_eq!(rest, b"");
    still_serves(&database).await;
}

#[tokio::test]
async fn who_is_too_slow_is_told_and_let_go() {
    let database = Database::start().await;
    let door = database.second_door(None, 100, Duration::from_millis(500));
    let timed_out = Told::fatal("57014", "canceling authentication due to timeout");
    for first in [&b""[..], &[0, 0, 0], &[0, 0, 0, 8, 4], &ASK_GSSAPI] {
        let all = until_closed(&mut connect(door.port()).await, first).await;
        let all = all.strip_prefix(b"N").unwrap_or(&all);
        assert_eq!(Told::alone(all), timed_out, "{first:?}");
    }
    // In the middle of the handshake there is no common language: closed.
    assert_eq!(until_closed(&mut connect(door.port()).await, &ASK_TLS).await, b"S");
    let all = until_closed(&mut database.connect_tls(door.port()).await, &app_startup()[..9]).await;
    assert_eq!(Told::alone(&all), timed_out);
    let mut client = database.connect_tls(door.port()).await;
    send(&mut client, &app_startup()).await.unwrap();
    next(&mut client).await;
    let all = until_closed(&mut client, &password(database.good())[..100]).await;
    assert_eq!(Told::alone(&all), timed_out);
    // Who is in has all the time in the world.
    let (mut client, _) = database.log_in(door.port(), database.good()).await.unwrap();
    assert_eq!(query(&mut client, "SELECT pg_sleep(1.5)").await.unwrap(), [""]);
}

#[tokio::test]
async fn one_client_too_many_is_told_and_a_place_is_free_when_one_leaves() {
    let database = Database::start().await;
    let door = database.second_door(None, 3, NEVER);
    let (inside, _) = database.log_in(door.port(), database.good()).await.unwrap();
    let waiting = [connect(door.port()).await, connect(door.port()).await];
    for _ in 0..200 {
        let all = until_closed(&mut connect(door.port()).await, b"").await;
        let words = "The maximum number of client connections to the proxy exceeded 3.";
        assert_eq!(Told::alone(&all), Told::fatal("53300", words));
    }
    drop((inside, waiting));
    // The door learns of it when its thread comes to it.
    let mut stream = connect(door.port()).await;
    for _ in 0..1000 {
        stream = connect(door.port()).await;
        send(&mut stream, &ASK_TLS).await.unwrap();
        if stream.read_u8().await.is_ok_and(|answer| answer == b'S') {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(stream);
    still_serves(&database).await;
}

#[tokio::test]
async fn when_pgbouncer_is_gone_the_client_is_told() {
    let database = Database::start().await;
    let door = database.second_door(Some("/no/such/socket"), 3, NEVER);
    let told = database.log_in(door.port(), database.good()).await.unwrap_err();
    let words = "the lab's PgBouncer does not answer: No such file or directory (os error 2)";
    assert_eq!(told, Told::fatal("57P03", words));
}

#[tokio::test]
async fn closing_the_door_ends_every_connection() {
    let database = Database::start().await;
    let door = database.second_door(None, 100, NEVER);
    let (mut inside, _) = database.log_in(door.port(), database.good()).await.unwrap();
    let mut waiting = connect(door.port()).await;
    let port = door.port();
    drop(door);
    assert!(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err(), "the port is open");
    let mut rest = Vec::new();
    // With or without TLS' goodbye: it ends.
    let ended = tokio::time::timeout(Duration::from_secs(30), inside.read_to_end(&mut rest)).await;
    assert!(ended.is_ok() && rest.is_empty());
    assert_eq!(until_closed(&mut waiting, &packet(b"")).await, b"");
    still_serves(&database).await;
}
