//! What the Secrets Manager endpoint says over real HTTPS, judged by AWS's own client for Python.
#![allow(clippy::unwrap_used)] // A test that cannot go on fails here.

use std::collections::BTreeMap;
use std::process::Command;

use lambda_lab::certificates::Authority;
use lambda_lab::secrets::SecretsEndpoint;

#[tokio::test]
async fn aws_own_client_for_python_takes_it_for_the_service() {
    if !Command::new("python3").args(["-c", "import boto3"]).output().is_ok_and(|o| o.status.success()) {
        println!("skipped: no boto3");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::create(folder.path()).unwrap();
    let secrets = [("stadiums/database", r#"{"username":"app","password":"hunter2"}"#), ("plain", "text")];
    let secrets = secrets.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let endpoint = SecretsEndpoint::start(&authority, BTreeMap::from(secrets), "AKIDLAB").await.unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/secrets_boto3.py");
    let mut python = tokio::process::Command::new("python3");
    python.arg(script).arg(endpoint.url()).arg(authority.ca_path());
    // Nothing of the machine's own AWS settings or trust roots.
    python.env_remove("AWS_CA_BUNDLE").env_remove("REQUESTS_CA_BUNDLE").env_remove("AWS_ENDPOINT_URL");
    python.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    let output = python.output().await.unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(printed, "judged\n", "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(endpoint.counters(), [("GetSecretValue".to_owned(), 10)].into());
    endpoint.stop().await;
}
