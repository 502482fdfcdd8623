//! The built-in engine's arrivals, judged by Artillery's own phaser.
//!
//! `fixtures/artillery_phases.json` is what Artillery 2.0.21 answered on a counted clock, made again (the phases in it are the cases) by
//! `node bench/tests/judges/artillery_phases.js target/tools/artillery/node_modules < it > new`. Where node and Artillery are there
//! (`scripts/artillery`) it is asked anew; else that case is skipped by name. Invariant: nothing here waits on a real clock.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use bench::scenario::Scenario;
use bench::schedule::artillery_arrivals;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

/// Artillery's timers are of whole milliseconds, and its loops see a twentieth of one pass.
const APART_MS: f64 = 1.0;
const ASKED_ANEW: &str = "artillery_still_answers_so";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = vec![
        Trial::test("every_arrival_comes_when_artillery_lets_it", every_arrival_comes_when_artillery_lets_it),
        Trial::test("one_to_twenty_in_five_seconds_are_53", one_to_twenty_in_five_seconds_are_53),
    ];
    let mut skipped = None;
    match modules() {
        _ if arguments.list => trials.push(Trial::test(ASKED_ANEW, || Ok(()))),
        Ok(modules) => trials.push(Trial::test(ASKED_ANEW, move || artillery_still_answers_so(&modules))),
        Err(reason) => {
            skipped = Some(format!("skipped: {ASKED_ANEW}: {reason}"));
            trials.push(Trial::test(ASKED_ANEW, || Ok(())).with_ignored_flag(true));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    skipped.iter().for_each(|line| println!("{line}"));
    conclusion.exit_code()
}

fn every_arrival_comes_when_artillery_lets_it() -> Result<(), Failed> {
    for case in recorded() {
        let name = case["name"].as_str().unwrap();
        let ours = ours_ms(&case["phases"]);
        let theirs = theirs_ms(&case);
        if ours.len() != theirs.len() {
            return Err(format!("{name}: {} arrivals, Artillery has {}", ours.len(), theirs.len()).into());
        }
        let apart = ours.iter().zip(&theirs).position(|(ours, theirs)| (ours - theirs).abs() > APART_MS);
        if let Some(number) = apart {
            let (ours, theirs) = (ours[number], theirs[number]);
            return Err(format!("{name}: arrival {number} at {ours} ms, Artillery's at {theirs} ms").into());
        }
    }
    Ok(())
}

/// The figures once seen on a real clock.
fn one_to_twenty_in_five_seconds_are_53() -> Result<(), Failed> {
    let phases = serde_json::json!([{ "duration": 5, "arrivalRate": 1, "rampTo": 20 }]);
    let mut counts = [0; 5];
    for offset_ms in ours_ms(&phases) {
        // One at a second's end is that second's.
        counts[((offset_ms - 0.001) / 1000.0) as usize] += 1;
    }
    if counts == [1, 6, 11, 15, 20] { Ok(()) } else { Err(format!("{counts:?}").into()) }
}

fn artillery_still_answers_so(modules: &Path) -> Result<(), Failed> {
    let script = here().join("tests/judges/artillery_phases.js");
    let cases = std::fs::File::open(fixture()).unwrap();
    let asked =
        Command::new("node").arg(script).arg(modules).stdin(cases).stderr(Stdio::inherit()).output().unwrap();
    if !asked.status.success() {
        return Err(format!("node: {}", asked.status).into());
    }
    let answered: Vec<Value> = serde_json::from_slice(&asked.stdout).unwrap();
    for (recorded, answered) in recorded().iter().zip(&answered) {
        if recorded != answered {
            return Err(format!("Artillery answers otherwise than recorded for {}", recorded["name"]).into());
        }
    }
    if answered.len() == recorded().len() { Ok(()) } else { Err("some case was not answered".into()) }
}

/// The arrivals by our schedule, through the scenario's own reader: JSON is YAML.
fn ours_ms(phases: &Value) -> Vec<f64> {
    let text = format!("config: {{ phases: {phases} }}\nscenarios: [{{ flow: [get: {{ url: / }}] }}]\n");
    let scenario = Scenario::parse(&text, Path::new("case.yml")).unwrap();
    let arrivals = artillery_arrivals(&scenario.phases).arrivals;
    arrivals.iter().map(|arrival| arrival.as_secs_f64() * 1000.0).collect()
}

fn theirs_ms(case: &Value) -> Vec<f64> {
    case["arrivals_ms"].as_array().unwrap().iter().map(|offset| offset.as_f64().unwrap()).collect()
}

fn recorded() -> Vec<Value> {
    serde_json::from_str(&std::fs::read_to_string(fixture()).unwrap()).unwrap()
}

fn fixture() -> PathBuf {
    here().join("tests/fixtures/artillery_phases.json")
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of Artillery's packages, where it has been installed and node is there to run it.
fn modules() -> Result<PathBuf, String> {
    let node = Command::new("node").arg("--version").output();
    node.map_err(|error| format!("no node: {error}"))?;
    let told = Command::new(here().join("../scripts/artillery")).arg("--if-there").output();
    let told = told.map_err(|error| format!("scripts/artillery: {error}"))?;
    let program = PathBuf::from(String::from_utf8_lossy(&told.stdout).trim());
    // <modules>/artillery/bin/run
    let modules = program.ancestors().nth(3).filter(|_| program.is_file());
    modules
        .map(Path::to_owned)
        .ok_or_else(|| "Artillery is not installed; scripts/artillery installs it".to_owned())
}
