//! Tokens, against those that AWS's own library makes.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use database_login::{Credentials, Endpoint, LoginError, auth_token};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    access_key_id: String,
    secret_access_key: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    host: String,
    port: u16,
    user: String,
    region: String,
    session_token: Option<String>,
    unix_seconds: u64,
    token: String,
}

/// A token's address and its parameters, whose order means nothing.
fn parts(token: &str) -> (&str, BTreeSet<&str>) {
    let (address, query) = token.split_once('?').unwrap();
    (address, query.split('&').collect())
}

#[test]
fn tokens_are_those_of_botocore() {
    let made = include_str!("../vectors/auth_tokens.json");
    let Vectors { access_key_id, secret_access_key, vectors } = serde_json::from_str(made).unwrap();
    assert!(vectors.len() >= 9);
    for vector in vectors {
        let Vector { host, port, user, region, .. } = &vector;
        let credentials =
            Credentials::new(&access_key_id, &secret_access_key, vector.session_token.clone(), None, "test");
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(vector.unix_seconds);
        let token = auth_token(&Endpoint { host, port: *port, user, region }, &credentials, now).unwrap();
        assert_eq!(parts(token.expose()), parts(&vector.token), "{}", vector.name);
    }
}

#[test]
fn no_token_is_signed_for_what_is_no_host() {
    let credentials = Credentials::new("id", "secret", None, None, "test");
    for host in ["", "a b", "https://db", "db/stadiums", "user@db", "db:5432", "::1", "db?x"] {
        let endpoint = Endpoint { host, port: 5432, user: "reader", region: "us-east-1" };
        let error = auth_token(&endpoint, &credentials, SystemTime::now()).unwrap_err();
        assert!(matches!(error, LoginError::Unsignable { .. }), "{host:?}: {error:?}");
        assert!(error.to_string().contains(&format!("{host:?}")), "{error}");
    }
}

#[test]
fn a_token_is_not_shown() {
    let credentials = Credentials::new("id", "secret", None, None, "test");
    let endpoint = Endpoint { host: "db", port: 5432, user: "reader", region: "us-east-1" };
    let token = auth_token(&endpoint, &credentials, SystemTime::now()).unwrap();
    assert_eq!(format!("{token:?}"), "Token(..)");
}
