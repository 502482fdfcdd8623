//! `bench fetch-traces`, the real program, against replayed answers of X-Ray on loopback HTTP.
//!
//! The answers are in the shape of X-Ray's API reference; nobody recorded them on AWS. What moto's server, which is not ours,
//! says of the same program is in `tests/xray_moto.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what failed by panicking")]

#[cfg(feature = "aws")]
mod answers;
#[cfg(feature = "aws")]
mod batch;
#[cfg(feature = "aws")]
mod file;
#[cfg(feature = "aws")]
mod filter;
mod run;
#[cfg(feature = "aws")]
mod server;
#[cfg(feature = "aws")]
mod transaction_search;
#[cfg(feature = "aws")]
mod trouble;

#[cfg(not(feature = "aws"))]
#[test]
fn without_the_sdk_the_command_says_how_to_build_with_it() {
    let said = run::Run::of(&[]).fetch("http://127.0.0.1:9", &[]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("make fetch-traces RUN=<folder>"), "{}", said.stderr);
    assert!(said.stderr.contains("--features aws"), "{}", said.stderr);
}
