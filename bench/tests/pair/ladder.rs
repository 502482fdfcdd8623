//! The ladder's rungs through the real lab: the same answers, each dependency asked as often as the rung's lever says, and a runtime
//! that is started anew finds what the one before it left.
//!
//! They run what `scripts/build-ladder` built. The variants of the leave-one-out are not among them: a run of it compares their
//! bodies before it times them, and building them builds the AWS SDK a second time.

use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::*;

/// The experiment, without the keys that only reports read.
fn ladder() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/ladder.toml");
    let text = std::fs::read_to_string(file).unwrap();
    let for_reports = |line: &&str| line.starts_with("lever = ") || line.starts_with("against = ");
    text.lines().filter(|line| !for_reports(line)).map(|line| format!("{line}\n")).collect()
}

/// The variants' names, in the ladder's order.
fn rungs(ladder: &str) -> Vec<String> {
    let (_, variants) = ladder.split_once("[[variant]]").unwrap();
    let names = variants.lines().filter_map(|line| line.strip_prefix("name = \""));
    names.map(|name| name.trim_end_matches('"').to_owned()).collect()
}

/// `ladder` with the variant `rung` alone.
fn alone(ladder: &str, rung: &str) -> String {
    let (head, variants) = ladder.split_once("[[variant]]").unwrap();
    let one =
        variants.split("[[variant]]").find(|text| text.contains(&format!("name = \"{rung}\""))).unwrap();
    format!("{head}[[variant]]{one}")
}

#[tokio::test]
async fn every_rung_answers_as_the_baseline_does_and_asks_as_often_as_its_lever_says() {
    let ladder = ladder();
    let rungs = rungs(&ladder);
    assert_eq!((rungs.len(), rungs[0].as_str()), (15, "baseline"), "{rungs:?}");
    let pair = Pair::start(&ladder).await;
    let variants: Vec<(String, Uri)> =
        rungs.iter().map(|rung| (rung.clone(), pair.control.uri(rung).unwrap())).collect();
    // Twice: from the database, then from wherever the rung has kept it.
    bodies::check(&variants).await.unwrap();
    bodies::check(&variants).await.unwrap();
    for rung in &rungs {
        let expected = match rung.as_str() {
            "baseline" | "client-kept" => (5, 5),
            "parameters-in-init" => (0, 5),
            _ => (0, 0),
        };
        assert_eq!(pair.asked_by_five(rung).await, expected, "{rung}: GetParameter(s) calls, logins");
    }
    pair.stop_and(|records| {
        assert!(records.iter().all(|record| record.status == Status::Success), "{records:?}");
    })
    .await;
}

/// The runtime process of the sandbox `id`.
fn runtime_of(id: &str) -> Pid {
    let program = target().join("functions/tmp-copy/bootstrap").canonicalize().unwrap();
    let is_runtime = |pid: &i32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == program)
            && environment.split(|byte| *byte == 0).any(|variable| {
                let name = b"AWS_LAMBDA_LOG_STREAM_NAME=";
                variable.strip_prefix(name).is_some_and(|stream| stream.ends_with(id.as_bytes()))
            })
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Pid::from_raw(pids.into_iter().find(is_runtime).expect("the sandbox has no runtime"))
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_runtime_that_is_started_anew_in_its_sandbox_finds_answer_and_settings() {
    // One sandbox at most: another could answer while this one is being reset.
    let experiment =
        alone(&ladder(), "tmp-copy").replace("timeout_s = 10", "timeout_s = 10\nreserved_concurrency = 1");
    let pair = Pair::start(&experiment).await;
    let begun = Instant::now();
    let (_, expected, _) = pair.get("tmp-copy").await;
    let before = pair.control.counters().await.unwrap();
    let sandbox = pair.records().pop().unwrap().sandbox;
    let first = runtime_of(&sandbox);
    kill(first, Signal::SIGKILL).unwrap();
    // A frozen process may die only when it is woken, and then takes that invocation with it.
    let answer = async {
        loop {
            match pair.get("tmp-copy").await {
                (StatusCode::OK, answer, _) => return answer,
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let answer = tokio::time::timeout(Duration::from_secs(60), answer).await.expect("no answer for a minute");
    assert_eq!(answer, expected);
    assert_ne!(runtime_of(&sandbox), first);
    let after = pair.control.counters().await.unwrap();
    assert_eq!(after.ssm, before.ssm, "the settings were in the copy");
    // On a machine so slow that the answer's ten seconds are over, only the settings can be judged.
    if begun.elapsed() < Duration::from_secs(9) {
        assert_eq!(after.redis["calls_get"], before.redis["calls_get"], "the answer was in the copy");
        assert!(pair.log("tmp-copy").contains("answered from memory"), "{}", pair.log("tmp-copy"));
    }
    pair.stop().await;
}
