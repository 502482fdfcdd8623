//! What the optimized function may not link: an AWS SDK, or a second TLS provider.
#![allow(clippy::unwrap_used)] // A test that cannot go on fails here.

use std::process::Command;

/// Names of all crates that are linked into the function.
fn linked() -> Vec<String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--package", "optimized", "--edges", "normal,no-proc-macro"])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn no_aws_sdk_and_one_crypto_provider() {
    let linked = linked();
    assert!(linked.iter().any(|name| name == "fred"), "cargo tree was not understood: {linked:?}");
    let unwanted =
        |name: &&String| name.starts_with("aws-sdk-") || *name == "aws-config" || *name == "aws-lc-rs";
    assert_eq!(linked.iter().find(unwanted), None);
}
