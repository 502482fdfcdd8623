//! What each rung may not link: what it is meant to do without.
//!
//! Invariant: a rung that stops linking an AWS SDK, or has not begun to link a Redis client, is built so; otherwise its package and
//! its cold start would show a lever that is not there.
#![allow(clippy::unwrap_used)] // A test that cannot go on fails here.

use std::process::Command;

const WITH_SDK: [&str; 5] =
    ["client-kept", "parameters-in-init", "lean-query", "without-extension", "baseline-slower"];
const WITHOUT_CACHE: [&str; 8] = [
    "client-kept",
    "parameters-in-init",
    "lean-query",
    "extension",
    "lean-runtime",
    "floor-redis",
    "floor-static",
    "baseline-slower",
];
const WITH_CACHE: [&str; 7] = [
    "cache-aside",
    "sandbox-memory",
    "tmp-copy",
    "without-extension",
    "without-kept-connections",
    "without-lean-query",
    "without-lean-runtime",
];

/// Names of all crates that are linked into `rung`.
fn linked(rung: &str) -> Vec<String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--package", "ladder", "--edges", "normal,no-proc-macro"])
        .args(["--no-default-features", "--features", rung, "--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(tree.status.success(), "{rung}: {}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout).unwrap();
    let linked: Vec<_> = text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    assert!(linked.iter().any(|name| name == "lambda_runtime"), "cargo tree was not understood: {linked:?}");
    linked
}

fn is_sdk(name: &str) -> bool {
    name.starts_with("aws-sdk-") || name == "aws-config" || name == "aws-lc-rs"
}

#[test]
fn only_rungs_below_the_extension_link_an_aws_sdk() {
    for rung in WITHOUT_CACHE.into_iter().chain(WITH_CACHE) {
        let found = linked(rung).into_iter().find(|name| is_sdk(name));
        assert_eq!(found.is_some(), WITH_SDK.contains(&rung), "{rung}: {found:?}");
    }
}

#[test]
fn only_rungs_with_a_cache_link_a_redis_client() {
    for (rungs, expected) in [(&WITHOUT_CACHE[..], false), (&WITH_CACHE[..], true)] {
        for rung in rungs {
            assert_eq!(linked(rung).iter().any(|name| name == "fred"), expected, "{rung}");
        }
    }
}

#[test]
fn the_floors_link_no_telemetry_and_the_static_one_no_tls() {
    let (redis, nothing) = (linked("floor-redis"), linked("floor-static"));
    for unwanted in ["telemetry", "opentelemetry", "optimized", "baseline"] {
        assert!(!redis.iter().any(|name| name == unwanted), "floor-redis: {unwanted}");
        assert!(!nothing.iter().any(|name| name == unwanted), "floor-static: {unwanted}");
    }
    assert!(
        !nothing.iter().any(|name| matches!(name.as_str(), "rustls" | "sqlx")),
        "floor-static: {nothing:?}"
    );
}

#[test]
fn every_rung_is_among_all_and_known_here() {
    let manifest = include_str!("../Cargo.toml");
    let (_, all) = manifest.split_once("\nall = [").unwrap();
    let (all, _) = all.split_once(']').unwrap();
    let needed = manifest.lines().filter_map(|line| line.strip_prefix("required-features = [\""));
    let rungs: Vec<_> = needed.map(|rest| rest.trim_end_matches("\"]")).collect();
    assert!(rungs.len() >= 15, "the manifest was not understood: {rungs:?}");
    for rung in rungs {
        assert!(all.contains(&format!("\"{rung}\"")), "{rung} is not checked by the lints");
        assert!(WITHOUT_CACHE.contains(&rung) || WITH_CACHE.contains(&rung), "{rung} is not judged here");
    }
}
