//! sqlx with our options, against servers that do and do not deserve the token.

use std::time::SystemTime;

use database_login::{Credentials, Endpoint, Roots, Target, Token, auth_token, connect_options};
use rustls::CertificateError;
use sqlx::ConnectOptions;
use tempfile::tempdir;

use crate::certificates::{Authority, host};
use crate::server::Server;

fn target(port: u16) -> Target<'static> {
    Target { host: "localhost", port, database: "stadiums", user: "reader" }
}

fn token() -> Token {
    let credentials = Credentials::new("id", "secret", None, None, "test");
    let endpoint = Endpoint { host: "localhost", port: 5432, user: "reader", region: "us-east-1" };
    auth_token(&endpoint, &credentials, SystemTime::now()).unwrap()
}

/// The roots of `authority`, whose bundle is gone again by the time they are used.
fn roots(authority: &Authority) -> Roots {
    let dir = tempdir().unwrap();
    Roots::from_bundle(authority.write_bundle(dir.path())).unwrap()
}

/// What sqlx has against the certificate of `server`, which must not have seen a token.
async fn objection(server: Server, roots: &Roots) -> CertificateError {
    let error = connect_options(&target(server.port), &token(), roots).connect().await.unwrap_err();
    let sqlx::Error::Io(error) = error else { panic!("not refused in the handshake: {error:?}") };
    let objection = match error.get_ref().and_then(|cause| cause.downcast_ref()) {
        Some(rustls::Error::InvalidCertificate(objection)) => objection.clone(),
        _ => panic!("not refused for its certificate: {error:?}"),
    };
    assert!(server.seen().is_err());
    objection
}

#[tokio::test]
async fn the_token_is_the_password_of_that_user_for_that_database() {
    let authority = Authority::new("an authority");
    let server = Server::start(Some(authority.server(&host("localhost"))));
    let token = token();
    let options = connect_options(&target(server.port), &token, &roots(&authority));
    let _connection = options.connect().await.unwrap();

    let seen = server.seen().unwrap();
    assert_eq!(seen.password, token.expose());
    for pair in [["user", "reader"], ["database", "stadiums"]] {
        assert!(seen.startup.windows(2).any(|window| window == pair), "{pair:?} in {:?}", seen.startup);
    }
}

#[tokio::test]
async fn a_server_of_another_authority_gets_no_token() {
    let server = Server::start(Some(Authority::new("theirs").server(&host("localhost"))));
    let objection = objection(server, &roots(&Authority::new("ours"))).await;
    assert_eq!(objection, CertificateError::UnknownIssuer);
}

#[tokio::test]
async fn a_server_of_our_authority_gets_no_token_without_its_bundle() {
    let server = Server::start(Some(Authority::new("ours").server(&host("localhost"))));
    assert_eq!(objection(server, &Roots::web()).await, CertificateError::UnknownIssuer);
}

#[tokio::test]
async fn a_server_of_another_name_gets_no_token() {
    let authority = Authority::new("an authority");
    let server = Server::start(Some(authority.server(&host("elsewhere.example.com"))));
    let objection = objection(server, &roots(&authority)).await;
    assert!(matches!(objection, CertificateError::NotValidForNameContext { .. }), "{objection:?}");
}

#[tokio::test]
async fn a_server_without_tls_gets_no_token() {
    let server = Server::start(None);
    let error = connect_options(&target(server.port), &token(), &Roots::web()).connect().await.unwrap_err();
    assert!(matches!(error, sqlx::Error::Tls(_)), "{error:?}");
    assert!(server.seen().is_err());
}
