//! What only a look from inside can bring about: a port that another program takes at the wrong moment.

use std::net::TcpListener;

use super::run_dir::RunDir;
use super::*;

fn iam() -> DatabaseIam {
    let text = |text: &str| text.to_owned();
    DatabaseIam {
        access_key_id: text("AKIDLAB"),
        secret_access_key: text("secret"),
        session_token: Some(text("token")),
        region: text("us-east-1"),
    }
}

/// Starts all with the port of the server at `position` (PostgreSQL, Redis) taken, in the first `attempts`.
async fn start_with_taken_port(position: usize, attempts: usize) -> Result<(), ServiceError> {
    let run_dir = RunDir::create().unwrap();
    let authority = Authority::create(run_dir.path()).unwrap();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut asked = 0;
    let next_port = || {
        asked += 1;
        let is_taken = (asked - 1) % 2 == position && asked <= 2 * attempts;
        if is_taken { Ok(taken.local_addr().unwrap().port()) } else { free_port() }
    };
    let services =
        Services::start_on(run_dir.path(), &authority, &iam(), Arc::new(SystemTime::now), next_port).await?;
    services.check()?;
    services.stop().await?;
    assert_eq!(asked, 4, "the start was not tried twice");
    Ok(())
}

#[tokio::test]
async fn a_taken_port_leads_to_one_more_start() {
    for position in 0..2 {
        start_with_taken_port(position, 1).await.unwrap();
    }
}

#[tokio::test]
async fn a_port_taken_twice_is_an_error_that_says_so() {
    let error = start_with_taken_port(1, 2).await.unwrap_err();
    assert!(error.is_port_taken(), "{error}");
    assert!(error.to_string().contains("found its port taken by another program"), "{error}");
}
