//! Who gets a connection to the SSM endpoint, and how connections end.

mod ssm_common;

use std::time::Duration;

use hyper::StatusCode;
use lambda_lab::certificates::Authority;
use ssm_common::{SIGNED, call, connect, port, start};
use tokio::net::TcpStream;

#[tokio::test]
async fn only_who_trusts_the_labs_authority_gets_through_and_all_names_are_certified() {
    let (endpoint, _folder, authority) = start().await;
    for name in ["localhost", "127.0.0.1", "::1"] {
        connect(&endpoint, &authority, name).await.unwrap();
    }
    let error =
        connect(&endpoint, &authority, "ssm.eu-central-1.amazonaws.com").await.unwrap_err().to_string();
    assert!(error.contains("NotValidForName") || error.contains("not valid for name"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let stranger = Authority::create(folder.path()).unwrap();
    let error = connect(&endpoint, &stranger, "localhost").await.unwrap_err().to_string();
    assert!(error.contains("UnknownIssuer") || error.contains("BadSignature"), "{error}");
    endpoint.stop().await;
}

#[tokio::test]
async fn clients_that_never_finish_their_handshake_keep_nobody_out() {
    let (endpoint, _folder, authority) = start().await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(("127.0.0.1", port(&endpoint))).await.unwrap());
    }
    // One after the other, the silent ones would take ten seconds each.
    let answered = tokio::time::timeout(Duration::from_secs(60), async {
        let mut connection = connect(&endpoint, &authority, "localhost").await.unwrap();
        let headers = [("x-amz-target", "AmazonSSM.GetParameter"), ("authorization", SIGNED)];
        call(&mut connection, &headers, r#"{"Name":"/stadiums/greeting"}"#).await
    });
    let (status, ..) = answered.await.expect("kept out for 60 s");
    assert_eq!(status, StatusCode::OK);
    drop(silent);
    endpoint.stop().await;
}

#[tokio::test]
async fn stopping_and_dropping_close_the_port_and_idle_connections() {
    for stop in [true, false] {
        let (endpoint, _folder, authority) = start().await;
        let port = port(&endpoint);
        let mut connection = connect(&endpoint, &authority, "localhost").await.unwrap();
        connection.ready().await.unwrap();
        if stop {
            endpoint.stop().await;
        } else {
            drop(endpoint);
        }
        let closed = async {
            while !connection.is_closed() || TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), closed).await.expect("still open after 10 s");
    }
}
