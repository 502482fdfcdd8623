//! The login as a function has it: everything from the environment.
//!
//! Each case is a process of its own, this binary again, because a test must not change the environment of
//! its neighbours.

use std::env;
use std::process::Command;
use std::time::{Duration, SystemTime};

use database_login::{Credentials, Endpoint, Login, LoginError, Target, auth_token};
use sqlx::ConnectOptions;
use tempfile::tempdir;

use crate::certificates::{Authority, host};
use crate::server::Server;

/// What Lambda sets, and nothing else.
const LAMBDA: [(&str, &str); 4] = [
    ("AWS_REGION", "eu-central-1"),
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ("AWS_SESSION_TOKEN", "a session's token"),
];

/// Logs in to `localhost` in a process with this environment only, and returns what it says.
fn log_in(port: u16, variables: &[(&str, &str)]) -> String {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "environment::the_function", "--ignored", "--nocapture"])
        .env_clear()
        .env("PORT", port.to_string())
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[tokio::test]
#[ignore = "the other tests run it, each with an environment of its own"]
async fn the_function() {
    let port = env::var("PORT").unwrap().parse().unwrap();
    let options = || -> Result<_, LoginError> {
        Login::from_env()?.connect_options(&Target {
            host: "localhost",
            port,
            database: "stadiums",
            user: "reader",
        })
    };
    match options() {
        Err(error) => println!("refused: {error}"),
        Ok(options) => {
            options.connect().await.unwrap();
            println!("let in");
        }
    }
}

#[test]
fn a_function_logs_in_with_a_token_signed_now() {
    let dir = tempdir().unwrap();
    let authority = Authority::new("an authority");
    let bundle = authority.write_bundle(dir.path());
    let server = Server::start(Some(authority.server(&host("localhost"))));
    let port = server.port;

    let started = SystemTime::now();
    let said = log_in(port, &[&LAMBDA[..], &[("TLS_CA_BUNDLE", bundle.to_str().unwrap())]].concat());
    assert!(said.contains("let in"), "{said}");
    let elapsed_s = started.elapsed().unwrap().as_secs();

    let token = server.seen().unwrap().password;
    let [(_, region), (_, id), (_, secret), (_, session_token)] = LAMBDA;
    let credentials = Credentials::new(id, secret, Some(session_token.to_owned()), None, "test");
    let endpoint = Endpoint { host: "localhost", port, user: "reader", region };
    // One second more, because a token's clock has whole seconds.
    let signed_then = (0..=elapsed_s + 1).any(|second| {
        let now = started + Duration::from_secs(second);
        auth_token(&endpoint, &credentials, now).unwrap().expose() == token
    });
    assert!(signed_then, "{token}");
}

#[test]
fn a_missing_variable_is_named() {
    for missing in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        let others: Vec<_> = LAMBDA.into_iter().filter(|(name, _)| *name != missing).collect();
        let empty = [&others[..], &[(missing, "")]].concat();
        for variables in [others, empty] {
            let said = log_in(1, &variables);
            assert!(
                said.contains(&format!("refused: the environment variable {missing} is unset")),
                "{said}"
            );
        }
    }
}

#[test]
fn a_missing_bundle_is_named() {
    let said = log_in(1, &[&LAMBDA[..], &[("TLS_CA_BUNDLE", "/no/such/ca.pem")]].concat());
    assert!(said.contains("refused: the CA bundle /no/such/ca.pem cannot be read"), "{said}");
}

#[test]
fn a_bundle_for_other_clients_is_not_trusted() {
    let dir = tempdir().unwrap();
    let authority = Authority::new("an authority");
    let bundle = authority.write_bundle(dir.path());
    let server = Server::start(Some(authority.server(&host("localhost"))));
    let said = log_in(server.port, &[&LAMBDA[..], &[("PGSSLROOTCERT", bundle.to_str().unwrap())]].concat());
    assert!(said.contains("UnknownIssuer"), "{said}");
    assert!(server.seen().is_err());
}
