//! docs/FIDELITY.md is what docs/fidelity.toml says, and every proof it names is a test that runs.
//!
//! Apart from the tests that are the proofs. The table lies beside its page because its readers are the page's; no program of ours
//! reads it. Invariant: neither the page nor a name in it can go stale without a failure here.
#![allow(clippy::unwrap_used)] // A test that cannot go on fails here.

mod page;
mod proofs;
mod table;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use table::Table;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn table() -> Table {
    Table::parse(&std::fs::read_to_string(workspace().join("docs/fidelity.toml")).unwrap()).unwrap()
}

#[test]
fn the_page_is_made_from_the_table() {
    let path = workspace().join("docs/FIDELITY.md");
    let made = page::render(&table());
    if std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        std::fs::write(&path, &made).unwrap();
    }
    let stands = std::fs::read_to_string(&path).unwrap_or_default();
    let differing = || made.lines().zip(stands.lines()).position(|(made, stands)| made != stands);
    assert!(
        made == stands,
        "docs/FIDELITY.md is not what docs/fidelity.toml makes, from line {} on; edit the latter, then run\n    \
         UPDATE_DOCS=1 cargo test -p lambda-lab --test fidelity",
        differing().unwrap_or_else(|| made.lines().count().min(stands.lines().count())) + 1
    );
}

#[test]
fn every_proof_is_a_test_that_runs() {
    let mut known = proofs::tests_of_workspace(&workspace());
    known
        .extend(proofs::cases_of_conformance(&workspace().join("crates/lambda-lab/tests/conformance/cases")));
    let once = |name: &str| known.iter().filter(|known| *known == name).count() == 1;
    let missing: BTreeSet<_> = table().proofs().filter(|name| !once(name)).map(str::to_owned).collect();
    assert!(
        missing.is_empty(),
        "docs/fidelity.toml names proofs that are no test of the workspace, or more than one, or ignored: {missing:#?}\n\
         Name each as the head of that file says"
    );
}

#[test]
fn tests_and_cases_are_found_by_their_names() {
    let source = "\
#[test]
fn plain() {}

#[tokio::test(flavor = \"multi_thread\")]
#[cfg(target_os = \"linux\")]
async fn with_attributes() {}

// #[test]
fn commented_out() {}

#[test]
#[ignore = \"slow\"]
fn ignored() {}

fn helper() {}

mod tests {
    #[test]
    fn inner() {}
}
";
    let found = proofs::tests_of_file(source, &["lab".to_owned()]);
    assert_eq!(found, ["lab::plain", "lab::with_attributes", "lab::tests::inner"]);
    let cases = "/// `case!(area, behaviour)`\n        case!(freezing, stands_still).alone(),\n";
    assert_eq!(proofs::cases_of_file(cases), ["conformance::freezing::stands_still"]);
}

#[test]
fn a_row_without_what_it_owes_is_refused() {
    let table = |row: &str| {
        let head = "read_on = \"2026-01-01\"\n[note]\nused = \"so\"\n[[peer]]\nname = \"P\"\nabout = \"p\"\n";
        let group = format!("[[group]]\ntitle = \"G\"\n[[group.row]]\nbehaviour = \"B\"\n{row}");
        Table::parse(&format!("{head}{group}")).map_err(|error| error.to_string())
    };
    assert!(table("lab = \"yes\"\nproofs = [\"a::b\"]\npeers = [\"no^used\"]").is_ok());
    for (row, complaint) in [
        ("lab = \"yes\"\npeers = [\"no^used\"]", "B: a yes names its proofs"),
        ("lab = \"no\"\npeers = [\"no^used\"]", "B: a partly or a no says in `means`"),
        ("lab = \"unknown\"\npeers = [\"no^used\"]", "B: what the lab does is known"),
        ("lab = \"perhaps\"\npeers = [\"no^used\"]", "`perhaps`"),
        ("lab = \"no\"\nmeans = \"m\"\npeers = [\"no^used\", \"no\"]", "B: 2 cells for 1 peers"),
        ("lab = \"no\"\nmeans = \"m\"\npeers = [\"no^lost\"]", "no note `lost`"),
        ("lab = \"no\"\nmeans = \"m\"\npeers = [\"no\"]", "the note `used` is used by no cell"),
        ("lab = \"no\"\nmeans = \"m\"\npeers = [\"no^used\"]\nprofs = []", "unknown field `profs`"),
    ] {
        let error = table(row).err().unwrap();
        assert!(error.contains(complaint), "{row}: {error}");
    }
}
