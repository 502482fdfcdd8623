//! docs/METHOD.md numbers the method's invariants, and every proof it names is a test that runs.
//!
//! Apart from the tests that are the proofs. Invariant: no invariant stands there without a proof, and none of them can go stale
//! without a failure here.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

#[path = "../../crates/lambda-lab/tests/fidelity/proofs.rs"]
mod proofs;

use std::path::{Path, PathBuf};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Each invariant's number and the proofs of its last line, `Held by: ..`.
fn invariants(page: &str) -> Vec<(u32, Vec<String>)> {
    let mut found: Vec<(u32, Vec<String>)> = Vec::new();
    for line in page.lines() {
        let numbered = line.split_once(". **").and_then(|(number, _)| number.parse().ok());
        if let Some(number) = numbered {
            found.push((number, Vec::new()));
        } else if let (Some(proofs), Some((_, held_by))) =
            (line.trim_start().strip_prefix("Held by: "), found.last_mut())
        {
            // Every other piece between back-ticks is a name.
            held_by.extend(proofs.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

#[test]
fn every_invariant_of_the_method_is_held_by_tests_that_run() {
    let mut known = proofs::tests_of_workspace(&workspace());
    known
        .extend(proofs::cases_of_conformance(&workspace().join("crates/lambda-lab/tests/conformance/cases")));
    let page = std::fs::read_to_string(workspace().join("docs/METHOD.md")).unwrap();
    let invariants = invariants(&page);
    assert!(invariants.len() > 20, "only {} invariants were found", invariants.len());
    for (place, (number, proofs)) in (1..).zip(&invariants) {
        assert_eq!(*number, place, "the invariants are numbered one after the other");
        assert!(!proofs.is_empty(), "invariant {number} names no proof");
        for proof in proofs {
            let times = known.iter().filter(|known| *known == proof).count();
            assert_eq!(times, 1, "invariant {number}: {proof} names {times} tests of the workspace");
        }
    }
}

#[test]
fn invariants_are_found_with_their_proofs() {
    let page = "# x\n1. **One.** Words of 2. **no** kind.\n   Held by: `a::b`, `c`\n\n2. **Two.** More.\n";
    let found = invariants(page);
    assert_eq!(found, [(1, vec!["a::b".to_owned(), "c".to_owned()]), (2, vec![])]);
}
