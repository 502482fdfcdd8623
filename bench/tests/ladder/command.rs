//! `bench ladder` as a command: what it prints, writes and refuses.

use std::path::PathBuf;
use std::process::Command;

use bench::run_file::RunFile;

use crate::rows::{fixture, run, six, step, without};
use crate::support::{Bench, variant};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, run: &RunFile) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, serde_json::to_string(run).unwrap()).unwrap();
        path
    }
}

/// Exit code, standard output, standard error.
fn ladder(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bench")).arg("ladder").args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn refused(arguments: &[&str], parts: &[&str]) {
    let (code, stdout, stderr) = ladder(arguments);
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{part:?} is missing in: {stderr}");
    }
}

#[test]
fn runs_stand_side_by_side_named_by_their_networks() {
    let folder = Folder::new();
    let near = folder.put("near.json", &run(&six(0.0), "loopback"));
    let far = folder.put("far.json", &run(&six(1.0), "same-az"));
    let taken = folder.put("without.json", &run(&without(), "loopback"));
    let [near, far, taken] = [&near, &far, &taken].map(|path| path.to_str().unwrap());
    let (code, stdout, stderr) = ladder(&[near, far, "--leave-one-out", taken]);
    assert_eq!(code, Some(0), "{stderr}");
    for part in
        ["warm p50, loopback", "warm p50, same-az", "optimized without one lever, loopback", "MODELLED"]
    {
        assert!(stdout.contains(part), "{part:?} is missing in:\n{stdout}");
    }
    let (_, twice, _) = ladder(&[far, far, "--metric", "cpu"]);
    assert!(twice.contains("CPU per warm invocation, same-az 2") || twice.contains("same-az 2"), "{twice}");
    let picture = folder.0.path().join("ladder.svg");
    let (code, stdout, _) = ladder(&[near, "--format", "svg", "--output", picture.to_str().unwrap()]);
    assert_eq!((code, stdout.trim()), (Some(0), picture.to_str().unwrap()));
    assert!(std::fs::read_to_string(&picture).unwrap().starts_with("<svg"));
    let (code, alone, _) = ladder(&["--leave-one-out", taken]);
    assert!(code == Some(0) && alone.contains("lost nothing shown"), "{alone}");
}

#[test]
fn a_run_without_a_ladder_is_refused_by_its_name_with_the_mend() {
    let folder = Folder::new();
    let mut plain = fixture();
    plain.ladder.clear();
    let plain = folder.put("plain.json", &plain);
    let near = folder.put("near.json", &run(&six(0.0), "loopback"));
    let [plain, near] = [&plain, &near].map(|path| path.to_str().unwrap());
    refused(&[plain], &["plain.json has no ladder", "\"stadiums\"", "`make ladder`"]);
    refused(&[near, plain], &["plain.json has no ladder"]);
    refused(&[near, "--leave-one-out", plain], &["plain.json has no ladder"]);
    refused(&["nowhere.json"], &["nowhere.json"]);
    refused(&[near, "--output", "/nowhere/x"], &["/nowhere/x", "--output"]);
}

#[test]
fn runs_of_different_ladders_are_refused_with_the_first_rung_that_differs() {
    let folder = Folder::new();
    let near = folder.put("near.json", &run(&six(0.0), "loopback"));
    let mut other = six(1.0);
    other[2] = step("lean-query", "lever = \"another query\"", 50.0);
    let other = folder.put("other.json", &run(&other, "same-az"));
    let short = folder.put("short.json", &run(&six(1.0)[..6], "same-az"));
    let [near, other, short] = [&near, &other, &short].map(|path| path.to_str().unwrap());
    refused(
        &[near, other],
        &["near.json and", "other.json", "rung 3", "one lean prepared query", "another query"],
    );
    refused(&[near, short], &["rung 7", "\"floor-redis\"", "nothing in the second"]);
    refused(
        &[near, "--leave-one-out", near],
        &["near.json is no leave-one-out run", "\"client-kept\"", "\"baseline\""],
    );
}

/// With the stand-in for the lab: from the experiment file to what `bench run` keeps and prints.
#[test]
fn a_run_of_rungs_keeps_its_ladder_and_prints_it_instead_of_a_table_a_pair() {
    let rung = |name: &str, delay: &str, lever: &str| {
        variant(name, 256, &format!("DELAY_MS = \"{delay}\"")).trim_end().to_owned()
            + &format!("\n{lever}\n\n")
    };
    let variants = rung("foot", "9", "")
        + &rung("less", "4", "lever = \"waits less\"")
        + &rung("least", "1", "lever = \"waits least\"")
        + &rung("floor", "0", "lever = \"floor\"\nagainst = \"least\"");
    let profile = "[load.quick]\nrounds = 2\ncold_starts = 1\nwarm_up_requests = 1\nwarm_requests = 5\n";
    let bench = Bench::new(&variants, profile);
    let said = bench.run();
    assert!(said.succeeded, "{}", said.stderr);
    let path = bench.only_folder().join("run.json");
    let run = RunFile::load(&path).unwrap();
    let told: Vec<_> = run
        .ladder
        .iter()
        .map(|rung| (rung.rung.as_str(), rung.lever.as_deref(), rung.against.as_deref(), rung.beside))
        .collect();
    let expected = [
        ("foot", None, None, false),
        ("less", Some("waits less"), Some("foot"), false),
        ("least", Some("waits least"), Some("less"), false),
        ("floor", Some("floor"), Some("least"), true),
    ];
    assert_eq!(told, expected);
    let package = run.ladder[1].metrics.iter().find(|earned| earned.name == "package_bytes").unwrap();
    assert_eq!(package.ratio, Some(1.0));
    let pairs: Vec<_> = run.comparisons.iter().map(|pair| (pair.from.as_str(), pair.to.as_str())).collect();
    assert_eq!(pairs, [("foot", "less"), ("foot", "least"), ("foot", "floor")]);
    assert!(
        said.stdout.contains("warm p50, loopback") && said.stdout.contains("waits less"),
        "{}",
        said.stdout
    );
    assert!(!said.stdout.contains("less / foot "), "{}", said.stdout);
    let (code, stdout, stderr) = ladder(&[path.to_str().unwrap()]);
    assert!(code == Some(0) && stdout.contains("Order: foot, less, least."), "{stdout}{stderr}");
}
