//! Invocations that go wrong: each ends with an answer, a record and a sandbox that is gone.

use std::path::Path;
use std::time::Instant;

use futures_util::future::join;
use lambda_lab::records::Status;
use serde_json::json;

use crate::support::{TestLab, runs};

#[tokio::test(flavor = "multi_thread")]
async fn time_out_resets_the_sandbox_which_starts_anew_within_the_next_invocation() {
    let lab = TestLab::start("timeout_s = 1").await;
    let (_, first) = lab.get("/pid").await;
    let begun = Instant::now();
    let (status, body) = lab.get("/sleep/60000").await;
    assert_eq!((status.as_u16(), body), (500, json!({ "message": "Internal Server Error" })));
    assert!(begun.elapsed().as_secs() < 30, "the time-out, not the integration's limit, ended it");
    let records = lab.records(2).await;
    let (_, second) = lab.get("/pid").await;
    assert_ne!(first, second);
    assert!(!runs(&first));
    assert_eq!(records[1].status, Status::Timeout);
    assert!(
        (records[1].duration_ms - 1000.0).abs() < 1e-9,
        "told as Lambda does: {}",
        records[1].duration_ms
    );
    assert!(lab.log().contains("\tStatus: timeout\n"), "{}", lab.log());
    let third = &lab.records(3).await[2];
    assert_eq!(third.sandbox, records[1].sandbox, "a reset sandbox is used again");
    assert_eq!((third.cold, third.init_ms), (false, None), "its INIT is part of the invocation");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_in_an_invocation_is_told_and_the_sandbox_starts_anew() {
    let lab = TestLab::start("timeout_s = 5").await;
    lab.get("/pid").await;
    assert_eq!(lab.get("/exit").await.0, 500);
    lab.records(2).await;
    assert_eq!(lab.get("/pid").await.0, 200);
    let records = lab.records(3).await;
    assert_eq!(records[1].error_type.as_deref(), Some("Runtime.ExitError"));
    assert_eq!(records[2].sandbox, records[1].sandbox);
    let expected =
        format!("RequestId: {} Error: Runtime exited with error: exit status 7", records[1].request_id);
    assert!(lab.log().contains(&expected), "{}", lab.log());
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandboxs_temporary_folder_is_its_own_outlives_its_runtime_and_goes_with_it() {
    let lab = TestLab::start("timeout_s = 5").await;
    let (_, first) = lab.get("/keep/note").await;
    assert_eq!(first["before"], "");
    assert_eq!(lab.get("/exit").await.0, 500);
    lab.records(2).await;
    let (_, anew) = lab.get("/keep/note").await;
    assert_eq!((&anew["folder"], &anew["before"]), (&first["folder"], &json!("kept\n")));
    let records = lab.records(3).await;
    assert_eq!(records[2].sandbox, records[0].sandbox);
    lab.retire().await;
    let folder = Path::new(first["folder"].as_str().unwrap());
    assert!(!folder.exists(), "{} outlived its sandbox", folder.display());
    let (_, other) = lab.get("/keep/note").await;
    assert_ne!(other["folder"], first["folder"]);
    assert_eq!(other["before"], "");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_posted_error_keeps_the_sandbox() {
    let lab = TestLab::start("timeout_s = 5").await;
    let (_, first) = lab.get("/pid").await;
    assert_eq!(lab.get("/fail").await.0, 500);
    assert_eq!(lab.get("/pid").await.1, first);
    assert_eq!(lab.records(3).await[1].status, Status::Error);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_answered_500() {
    let lab = TestLab::start("timeout_s = 5").await;
    assert_eq!(lab.get("/nonsense").await.0, 500);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_reserved_concurrency_requests_are_refused() {
    let lab = TestLab::start("timeout_s = 5\nreserved_concurrency = 1").await;
    lab.get("/pid").await;
    lab.records(1).await;
    let ((first, _), (second, _)) = join(lab.get("/sleep/500"), lab.get("/sleep/500")).await;
    let mut statuses = [first.as_u16(), second.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 503]);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_leaves_in_init_is_tried_once_more_within_the_invocation() {
    let lab = TestLab::start("timeout_s = 5\nenv = { PROBE_INIT = \"exit\" }").await;
    assert_eq!(lab.get("/pid").await.0, 500);
    let record = &lab.records(1).await[0];
    assert_eq!(record.error_type.as_deref(), Some("Runtime.ExitError"));
    assert_eq!((record.cold, record.init_ms), (true, None));
    let log = lab.log();
    assert_eq!(log.matches("probe: leaving before the first event").count(), 2, "{log}");
    assert!(log.contains("\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\n"), "{log}");
    assert!(log.contains("\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\n"), "{log}");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_init_that_fails_once_is_made_good_within_the_invocation() {
    let lab = TestLab::start("timeout_s = 5\nenv = { PROBE_INIT_ONCE = \"$DIR/once\" }").await;
    assert_eq!(lab.get("/pid").await.0, 200);
    let record = &lab.records(1).await[0];
    assert_eq!((record.status, record.cold, record.init_ms), (Status::Success, true, None));
    assert_eq!(lab.log().matches("INIT_REPORT").count(), 1, "only the INIT that failed: {}", lab.log());
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_never_asks_for_its_first_event_ends_at_the_init_limit_then_at_its_time_out() {
    let lab = TestLab::start("timeout_s = 1\nenv = { PROBE_INIT = \"hang\" }").await;
    let begun = Instant::now();
    assert_eq!(lab.get("/pid").await.0, 500);
    assert!(begun.elapsed().as_secs() >= 11, "Lambda gives INIT ten seconds, then the invocation's own time");
    assert_eq!(lab.records(1).await[0].status, Status::Timeout);
    let log = lab.log();
    assert!(log.contains("\tPhase: init\tStatus: timeout\n"), "{log}");
    assert!(log.contains("\tPhase: invoke\tStatus: timeout\n"), "{log}");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_program_is_named_before_anything_starts() {
    let error =
        TestLab::try_start("timeout_s = 5\nextensions = [{ package = \"nothing\" }]").await.err().unwrap();
    let message = error.to_string();
    assert!(message.contains("function probe") && message.contains("extensions/nothing"), "{message}");
    assert!(message.contains("make build"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let experiment = "[experiment]\nname = \"x\"\ndescription = \"x\"\n\
        [[variant]]\nname = \"x\"\ncommand = [\"sh\"]\nmemory_mb = 128\ntimeout_s = 1\n";
    let experiment = lambda_lab::experiment::Experiment::parse(experiment, dir.path()).unwrap();
    let options = lambda_lab::lab::Options {
        functions_dir: dir.path().to_owned(),
        port,
        ..lambda_lab::lab::Options::default()
    };
    let message = lambda_lab::lab::Lab::start(&experiment, &options).await.err().unwrap().to_string();
    assert!(message.contains(&format!("127.0.0.1:{port}")) && message.contains("--port"), "{message}");
}
