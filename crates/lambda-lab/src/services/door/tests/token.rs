//! Tokens alone, against those that botocore made.

use std::time::Duration;

use super::*;
use crate::services::door::token::{Login, TokenError, verify};

/// What becomes of a token at the database `localhost:35432`, some seconds after it was signed.
fn judge(token: &str, user: &str, seconds: i64) -> Result<(), TokenError> {
    let made = made();
    let now = made.time().checked_add_signed(seconds);
    verify(token, &Login { endpoint: "localhost:35432", user }, &made.iam(), now)
}

/// Time arithmetic with a sign.
trait Later {
    fn checked_add_signed(self, seconds: i64) -> Self;
}

impl Later for SystemTime {
    fn checked_add_signed(self, seconds: i64) -> Self {
        let distance = Duration::from_secs(seconds.unsigned_abs());
        if seconds < 0 { self - distance } else { self + distance }
    }
}

#[test]
fn what_botocore_signs_is_taken() {
    let made = made();
    assert_eq!(judge(&made.tokens["good"], "app", 0), Ok(()));
    for (name, endpoint, user) in [
        ("for a proxy on AWS", "stadiums.proxy-c1a2b3d4e5f6.us-east-1.rds.amazonaws.com:35432", "app"),
        ("for the port of HTTPS, which the signed host leaves out", "localhost:443", "app"),
        ("for a user that must be escaped", "localhost:35432", "a b+c/é"),
        ("for a user of reserved characters", "localhost:35432", "x=1&y=%20?#[]@!$'()*,;:~-._"),
    ] {
        let taken = verify(&made.tokens[name], &Login { endpoint, user }, &made.iam(), made.time());
        assert_eq!(taken, Ok(()), "{name}");
    }
    let users_own = DatabaseIam { session_token: None, ..made.iam() };
    let login = Login { endpoint: "localhost:35432", user: "app" };
    assert_eq!(verify(&made.tokens["without a session token"], &login, &users_own, made.time()), Ok(()));
}

#[test]
fn what_was_signed_for_something_else_is_refused_and_the_reason_told() {
    let made = made();
    for (name, reason) in [
        ("for a proxy on AWS", "rds.amazonaws.com:35432\", and this database is \"localhost:35432\""),
        ("for another port", "it was signed for \"localhost:5432\""),
        ("for another user", "it was signed for the user \"postgres\", and \"app\" logs in"),
        (
            "for another region",
            "eu-central-1/rds-db/aws4_request\", not AKIAIOSFODNN7EXAMPLE/20260102/us-east-1/",
        ),
        ("by another access key", "by the access key \"AKIAI44QH8DHBEXAMPLE\", which is not the function's"),
        ("with another secret", "its signature does not match"),
        ("with another session token", "its X-Amz-Security-Token is not the function's"),
        ("without a session token", "its X-Amz-Security-Token is not the function's"),
        ("for another action", "its Action is \"describe\", not connect"),
        ("for another service", "/us-east-1/rds/aws4_request\", not"),
        ("for a second too long", "its X-Amz-Expires is \"901\", not a number of seconds up to 900"),
    ] {
        let told = judge(&made.tokens[name], "app", 0).unwrap_err().to_string();
        assert!(told.contains(reason), "{name}: {told}");
        assert!(!told.contains("IQoJ") && !told.contains("wJalr"), "a secret is told: {told}");
    }
}

#[test]
fn a_token_lives_for_its_fifteen_minutes() {
    let made = made();
    let good = &made.tokens["good"];
    for seconds in [-300, -1, 0, 1, 899, 900] {
        assert_eq!(judge(good, "app", seconds), Ok(()), "{seconds} s");
    }
    assert_eq!(judge(good, "app", 901), Err(TokenError::Expired(Duration::from_secs(1))));
    assert_eq!(judge(good, "app", -301), Err(TokenError::FromTheFuture(Duration::from_secs(301))));
    let short = &made.tokens["for one minute"];
    assert_eq!(judge(short, "app", 60), Ok(()));
    assert_eq!(judge(short, "app", 61), Err(TokenError::Expired(Duration::from_secs(1))));
}

#[test]
fn no_byte_of_a_token_can_be_changed() {
    let made = made();
    let good = &made.tokens["good"];
    for index in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[index] = if bytes[index] == b'1' { b'2' } else { b'1' };
        let changed = String::from_utf8(bytes).unwrap();
        // An escape such as %2F decodes the same whatever the case of its digits; no other change does.
        assert!(judge(&changed, "app", 0).is_err(), "byte {index} of {changed}");
    }
}

#[test]
fn what_is_no_token_is_refused() {
    let made = made();
    let good = &made.tokens["good"];
    let without = |name: &str| {
        let (endpoint, query) = good.split_once('?').unwrap();
        let kept: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with(name)).collect();
        format!("{endpoint}?{}", kept.join("&"))
    };
    let names = ["Action", "DBUser", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires"];
    for name in names.into_iter().chain(["X-Amz-SignedHeaders", "X-Amz-Security-Token", "X-Amz-Signature"]) {
        let told = judge(&without(name), "app", 0).unwrap_err().to_string();
        assert!(told.contains(name), "{name}: {told}");
    }
    let endless = "a=b&".repeat(10_000);
    let texts = ["", "secret", "/?", "localhost:35432/?", "localhost:35432/?&&&=%%%zz", &endless];
    for text in texts.map(str::to_owned).into_iter().chain([
        format!("https://{good}"),
        format!("{good}&Action=connect"),
        format!("{good}&X-Amz-Expires=900"),
        format!("{good}&Other=1"),
        format!("{good} "),
        good.replace("20260102T030405Z", "20260102T030405+00"),
        good.replace("20260102T030405Z", "99999999T999999Z"),
        good.replace("Expires=900", "Expires=-1"),
        good.replace("Expires=900", "Expires=99999999999999999999"),
        good.replace("SignedHeaders=host", "SignedHeaders=host%3Bx"),
    ]) {
        assert!(judge(&text, "app", 0).is_err(), "{text}");
    }
}
