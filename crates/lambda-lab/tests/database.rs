//! The database's door as clients that are not ours find it: boto3 signs, libpq connects, with the clock of the day.

mod services_common;

use std::process::Command;
use std::time::Duration;

use lambda_lab::certificates::Authority;
use lambda_lab::services::Services;
use lambda_lab::services::run_dir::RunDir;
use services_common::run;
use services_common::token::{iam, token};

#[tokio::test]
async fn a_token_of_boto3_logs_in_through_libpq_and_none_else_does() {
    let run_dir = RunDir::create().unwrap();
    let authority = Authority::create(run_dir.path()).unwrap();
    let services = Services::start(run_dir.path(), &authority, &iam()).await.unwrap();
    let values = services.values();
    let user = &values["database.user"];
    let log_in = |password: &str| {
        let (port, name, ca) = (&values["database.port"], &values["database.name"], &values["ca.bundle"]);
        let connection = format!(
            "host=localhost port={port} dbname={name} user={user} sslmode=verify-full sslrootcert={ca}"
        );
        run(
            "psql",
            &["-X", "-A", "-t", "-c", "SELECT current_user", &connection],
            &[("PGPASSWORD", password)],
        )
    };

    // What the functions sign with, in Rust.
    assert_eq!(log_in(&token(&values, user, Duration::ZERO)).unwrap(), format!("{user}\n"));
    let expected = format!(
        "FATAL:  The IAM authentication failed for the role {user}. Check the IAM token for this role and try again."
    );
    for refused in [token(&values, user, Duration::from_secs(960)), "a password".to_owned()] {
        let told = log_in(&refused).unwrap_err();
        assert!(told.contains(&expected), "{told}");
    }

    // What a function in Python signs with.
    if !Command::new("python3").args(["-c", "import boto3"]).output().is_ok_and(|o| o.status.success()) {
        println!("skipped: no boto3");
        return;
    }
    let sign = |region: &str| {
        let iam = iam();
        let environment = [
            ("AWS_ACCESS_KEY_ID", iam.access_key_id.as_str()),
            ("AWS_SECRET_ACCESS_KEY", &iam.secret_access_key),
            ("AWS_SESSION_TOKEN", iam.session_token.as_deref().unwrap()),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ];
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/database_boto3.py");
        let arguments = [script, &values["database.host"], &values["database.port"], user, region];
        run("python3", &arguments, &environment).unwrap().trim_end().to_owned()
    };
    assert_eq!(log_in(&sign("us-east-1")).unwrap(), format!("{user}\n"));
    let told = log_in(&sign("eu-west-1")).unwrap_err();
    assert!(told.contains(&expected), "{told}");
    assert_eq!(services.counters().await.unwrap().pgbouncer["logins"], 5);
}
