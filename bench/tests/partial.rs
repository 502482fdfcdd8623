//! Runs that end before their plan is done: what was measured is kept, shown as partial and accounted for.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what failed by panicking")]

mod support;

use std::time::{Duration, Instant};

use bench::run_file::RunFile;
use bench::sample::Sample;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::{Bench, Said, process_is_gone, variant};

/// For each variant: 1 invocation when bodies are compared, then 8 a round.
const PROFILE: &str = "[load.quick]\nrounds = 4\ncold_starts = 2\nwarm_up_requests = 1\nwarm_requests = 5\n";
/// The third warm request of the second round.
const IN_ROUND_2: &str = "15";

fn samples(bench: &Bench) -> Vec<Sample> {
    let text = std::fs::read_to_string(bench.only_folder().join("samples.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What every partial run of one round of [`PROFILE`] must say, whatever ended it.
fn check_one_round(bench: &Bench, stdout: &str, reason: &str) -> RunFile {
    let run = RunFile::load(&bench.only_folder().join("run.json")).unwrap();
    let partial = run.partial.as_ref().unwrap();
    assert_eq!(partial.rounds, 1, "{partial:?}");
    assert!(partial.reason.contains(reason) && !partial.reason.contains('\n'), "{partial:?}");
    assert!(stdout.starts_with("PARTIAL: 1 of 4 rounds: "), "{stdout}");
    assert!(
        stdout.contains("warm p50, ms") && stdout.contains("requests are all that were sent"),
        "{stdout}"
    );
    assert!(run.variants.iter().all(|variant| variant.requests == 8), "only the whole round");
    assert_eq!(run.accounting.sent, samples(bench).len() as u64);
    assert!(run.accounting.sent > 8 * run.variants.len() as u64, "the unfinished round is accounted for");
    assert!(run.environment.interference.iter().all(|round| round.round == 1));
    assert!(!bench.results().join("latest").exists(), "latest is for whole runs");
    run
}

#[test]
fn a_signal_in_the_second_round_leaves_the_figures_of_the_first() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let variants = variant("a", 256, &format!("HANG_AT = \"{IN_ROUND_2}\"")) + &variant("b", 256, "");
        let bench = Bench::new(&variants, PROFILE);
        let child = bench.start();
        // Both compared, the first round, the second's cold starts, and a's three warm ones that were answered: b's turn was
        // before, since every other round runs backwards.
        let before = 2 + 16 + 4 + 6 + 3;
        let begun = Instant::now();
        while invocations(&bench) < before {
            assert!(begun.elapsed() < Duration::from_secs(60), "the second round never came");
            std::thread::sleep(Duration::from_millis(20));
        }
        let lab = bench.lab_process();
        kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
        let said = child.wait_with_output().unwrap();
        let (stdout, stderr) =
            (String::from_utf8(said.stdout).unwrap(), String::from_utf8(said.stderr).unwrap());
        assert_eq!(said.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains("bench: interrupted") && process_is_gone(lab), "{stderr}");
        let run = check_one_round(&bench, &stdout, "interrupted");
        assert_eq!(run.accounting.sent, before as u64 - 2);
        // One round has no interval.
        let warm = &run.comparisons[0].metrics[0];
        assert_eq!((warm.name.as_str(), warm.interval), ("warm_ms_p50", None));
        assert_eq!(warm.verdict.unwrap().word(), "not measurable");
        // The table is made from the file alone.
        let again = bench.table(&bench.only_folder().join("run.json"));
        assert!(again.succeeded && again.stdout == stdout, "{}", again.stdout);
    }
}

fn invocations(bench: &Bench) -> usize {
    if !bench.results().exists() || std::fs::read_dir(bench.results()).unwrap().count() == 0 {
        return 0;
    }
    let text = std::fs::read_to_string(bench.only_folder().join("invocations.jsonl")).unwrap_or_default();
    text.lines().count()
}

#[test]
fn a_lab_that_dies_in_the_second_round_leaves_the_figures_of_the_first() {
    let bench = Bench::new(&variant("a", 256, &format!("DIE_AT = \"{IN_ROUND_2}\"")), PROFILE);
    let said = bench.run();
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    // Either the process was seen to end, or its port not to answer; both quote what it said.
    assert!(said.stderr.contains("the lab ended"), "{}", said.stderr);
    let run = check_one_round(&bench, &said.stdout, "lambda-lab: the disk is full");
    assert!(run.accounting.answered >= 8 + 5, "{:?}", run.accounting);
}

#[test]
fn a_gate_of_a_partial_run_is_told_but_what_ended_it_decides() {
    let variants = variant("a", 256, &format!("DIE_AT = \"{IN_ROUND_2}\"")) + &variant("b", 256, "");
    let bench = Bench::new(&variants, PROFILE);
    let said = bench.run_with(&["--fail-if", "max_memory_mb ratio > 0.5; warm_ms_p50 ratio > 9"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("gate: max_memory_mb ratio > 0.5: FAILED, 1.0000"), "{}", said.stderr);
    assert!(
        said.stderr.contains("gate: warm_ms_p50 ratio > 9: NOT JUDGED, not measurable"),
        "{}",
        said.stderr
    );
}

#[test]
fn without_a_whole_round_there_are_no_figures_and_it_says_where_the_samples_are() {
    let bench = Bench::new(&variant("a", 256, "DIE_AT = \"7\""), PROFILE);
    let message = bench.refusal();
    let samples_file = bench.only_folder().join("samples.jsonl");
    let told = format!("no round was whole, so there are no figures; {} requests", samples(&bench).len());
    assert!(message.contains(&told) && message.contains(samples_file.to_str().unwrap()), "{message}");
    assert!(!bench.only_folder().join("run.json").exists());
}

/// The lab's disk is full: records are missing from the second round on, and the error says why.
#[test]
fn a_lab_whose_disk_is_full_is_quoted_with_the_records_it_lost() {
    // A record is some 500 bytes; the first round has 9 of them.
    let bench = Bench::new(&variant("a", 256, "RECORDS_LIMIT = \"6000\""), PROFILE);
    let said = bench.run_with_small_files("unlimited");
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    for part in ["have no invocation record", "cannot write the invocation record: File too large"] {
        assert!(said.stderr.contains(part), "{part:?} is missing in {}", said.stderr);
    }
    check_one_round(&bench, &said.stdout, "cannot write the invocation record: File too large");
}

/// One message that names the file, the system's words and the mend, and nothing panicked.
fn check_full_disk(said: &Said, file: &str) {
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    let messages: Vec<&str> = said.stderr.lines().filter(|line| line.contains("File too large")).collect();
    assert_eq!(messages.len(), 1, "{}", said.stderr);
    for part in ["bench: ", file, "(os error 27)", "free some space", "--results"] {
        assert!(messages[0].contains(part), "{part:?} is missing in {}", messages[0]);
    }
    assert!(!said.stderr.contains("panicked") && !said.stderr.contains("warning"), "{}", said.stderr);
    assert!(said.stdout.contains("warm p50, ms"), "{}", said.stdout);
}

/// Names of the run's files that are, or were to become, the run file.
fn run_files(bench: &Bench) -> Vec<String> {
    let entries = std::fs::read_dir(bench.only_folder()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains("run.json")).collect()
}

#[test]
fn a_disk_that_fills_up_ends_the_run_and_its_whole_rounds_are_kept() {
    let profile = "[load.quick]\nrounds = 4\ncold_starts = 2\nwarm_up_requests = 1\nwarm_requests = 40\n";
    let bench = Bench::new(&variant("a", 256, "LAB = \"unlimited\""), profile);
    let said = bench.run_with_small_files("16");
    check_full_disk(&said, "samples.jsonl: ");
    let run = RunFile::load(&bench.only_folder().join("run.json")).unwrap();
    let partial = run.partial.unwrap();
    assert!((1..4).contains(&partial.rounds) && partial.reason.contains("File too large"), "{partial:?}");
    assert_eq!(run.variants[0].requests, 43 * u64::from(partial.rounds));
    assert!(run.accounting.sent > run.variants[0].requests, "what could not be written is accounted for");
    assert!(said.stdout.starts_with("PARTIAL: "), "{}", said.stdout);
}

#[test]
fn where_run_json_does_not_fit_either_the_table_is_printed_and_no_half_of_it_is_left() {
    let small = |rounds| {
        let profile = format!(
            "[load.quick]\nrounds = {rounds}\ncold_starts = 1\nwarm_up_requests = 1\nwarm_requests = 1\n"
        );
        Bench::new(&variant("a", 256, "LAB = \"unlimited\""), &profile)
    };
    // Samples that fit and a run.json that does not: the run itself is whole.
    let bench = small(2);
    let said = bench.run_with_small_files("2");
    check_full_disk(&said, "run.json: ");
    assert!(!said.stdout.contains("PARTIAL") && run_files(&bench).is_empty(), "{:?}", run_files(&bench));
    assert!(!bench.results().join("latest").exists());
    // Neither fits.
    let bench = small(20);
    let said = bench.run_with_small_files("2");
    check_full_disk(&said, "samples.jsonl: ");
    assert!(said.stderr.contains("run.json could not be written either"), "{}", said.stderr);
    assert!(said.stdout.starts_with("PARTIAL: ") && run_files(&bench).is_empty(), "{}", said.stdout);
}
