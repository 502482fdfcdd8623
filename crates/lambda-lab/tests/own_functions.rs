//! The examples of docs/OWN-FUNCTIONS.md, run as they stand there.
#![allow(clippy::unwrap_used)] // A test that cannot go on fails here.

mod serve_common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;
use serve_common::{Served, get};

/// The first block of the page in `language`.
fn example_in(language: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/OWN-FUNCTIONS.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, block) = page.split_once(&format!("```{language}\n")).unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

/// Where a sandbox finds `program`, if it does.
fn installed(program: &str) -> bool {
    ["/usr/local/bin", "/usr/bin", "/bin"].iter().any(|dir| Path::new(dir).join(program).is_file())
}

#[tokio::test]
async fn the_scripts_of_the_page_are_functions() {
    for (language, interpreter) in [("python", "python3"), ("js", "node")] {
        if !installed(interpreter) {
            println!("skipped: no {interpreter} where a sandbox looks for it");
            continue;
        }
        let dir = tempfile::tempdir().unwrap();
        let bootstrap = dir.path().join("bootstrap");
        std::fs::write(&bootstrap, example_in(language)).unwrap();
        std::fs::set_permissions(&bootstrap, std::fs::Permissions::from_mode(0o755)).unwrap();
        let function = format!("hello={}", dir.path().display());
        let arguments = ["--function", &function, "--memory", "256", "--timeout", "20"];
        let lab = Served::start(&arguments.map(str::to_owned), 1);
        let url = format!("{}/stadiums", lab.urls["hello"]);
        assert_eq!(get(&url).await, json!({ "hello": "/stadiums" }), "{language}");
        assert_eq!(get(&url).await, json!({ "hello": "/stadiums" }), "{language}, warm");
        assert!(lab.stop());
    }
}
