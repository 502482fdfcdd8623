//! What a memory size means: processor share, memory, and standing still between invocations.

use futures_util::future::join_all;
use lambda_lab::records::Status;

use crate::support::TestLab;

fn number(value: &serde_json::Value) -> u64 {
    value.as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_runs_between_invocations() {
    let lab = TestLab::start("timeout_s = 5\nenv = { PROBE_TICKS = \"1\" }").await;
    lab.get("/sleep/50").await;
    lab.records(1).await;
    let before = number(&lab.get("/ticks").await.1);
    assert!(before > 0, "the background thread counts while an invocation runs");
    lab.records(2).await;
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    let after = number(&lab.get("/ticks").await.1);
    // Some ticks belong to the ends of the invocations; 400 ms would have been about 350.
    assert!(after - before < 100, "{before} ticks, then {after}: it ran while it should have been frozen");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_meets_a_frozen_sandbox() {
    let lab = TestLab::start("timeout_s = 5\nreserved_concurrency = 4\nenv = { PROBE_TICKS = \"1\" }").await;
    let client = async || {
        for _ in 0..250 {
            // 503 while all four are at work is right; a frozen one would have cost the time-out.
            let (status, _) = lab.get("/ticks").await;
            assert!(status == 200 || status == 503, "{status}");
        }
    };
    join_all((0..4).map(|_| client())).await;
    let answered = std::fs::read_to_string(lab.dir.path().join("invocations.jsonl")).unwrap();
    assert!(!answered.contains("\"timeout\""), "an event was handed to a sandbox that stood still");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quota_is_the_memorys_and_spares_init() {
    let lab = TestLab::start("timeout_s = 30\nenv = { PROBE_INIT = \"sleep:50\" }").await;
    if lab.limits() == "none" {
        eprintln!("skipped: no CPU quota on this machine");
        return lab.stop().await;
    }
    lab.get("/burn/400").await;
    let record = &lab.records(1).await[0];
    let share = record.cpu_ms.unwrap() / record.duration_ms;
    assert!(share < 0.2, "128 MB buy 0.07 of a processor, it had {share:.3}");
    assert!(record.throttled_ms.unwrap() > 100.0, "{record:?}");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_function_allocates_shows_as_max_memory() {
    let lab = TestLab::start("timeout_s = 30").await;
    lab.get("/pid").await;
    lab.get("/allocate/40").await;
    let records = lab.records(2).await;
    let [before, after] = [0, 1].map(|place| records[place].max_memory_mb.unwrap());
    assert!(after - before > 35.0 && after < 80.0, "{before} MB, then {after} MB");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_outgrows_its_memory_is_ended_and_replaced() {
    let lab = TestLab::start("timeout_s = 30").await;
    if lab.limits() == "none" {
        eprintln!("skipped: no memory limit on this machine");
        return lab.stop().await;
    }
    lab.get("/pid").await;
    assert_eq!(lab.get("/allocate/400").await.0, 500);
    let records = lab.records(2).await;
    assert_eq!(
        (records[1].status, records[1].error_type.as_deref()),
        (Status::Error, Some("Runtime.OutOfMemory"))
    );
    assert_eq!(lab.get("/pid").await.0, 200);
    let third = &lab.records(3).await[2];
    assert!(third.cold && third.sandbox != records[1].sandbox, "the next request gets a new one");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn provisioned_sandboxes_are_ready_before_the_first_request_and_the_rest_is_on_demand() {
    let lab = TestLab::start("timeout_s = 5\nprovisioned_concurrency = 1").await;
    assert_eq!(lab.log().matches("INIT_REPORT").count(), 1, "{}", lab.log());
    let (_, env) = lab.get("/env").await;
    assert_eq!(env["AWS_LAMBDA_INITIALIZATION_TYPE"], "provisioned-concurrency");
    let first = &lab.records(1).await[0];
    assert_eq!((first.cold, first.init_ms), (false, None));
    join_all([lab.get("/sleep/300"), lab.get("/sleep/300")]).await;
    let records = lab.records(3).await;
    assert_eq!(records.iter().filter(|record| record.cold).count(), 1, "the second at once is a spill-over");
    lab.retire().await;
    assert_eq!(lab.log().matches("INIT_REPORT").count(), 2, "a retired one is replaced: {}", lab.log());
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_accounts_limit_throttles() {
    let lab = TestLab::start("timeout_s = 5\n[account]\nconcurrent_executions = 1").await;
    lab.get("/pid").await;
    lab.records(1).await;
    let answers = join_all([lab.get("/sleep/300"), lab.get("/sleep/300")]).await;
    let mut statuses: Vec<_> = answers.iter().map(|(status, _)| status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 503]);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scaling_rate_throttles() {
    let lab = TestLab::start("timeout_s = 5\n[account]\nnew_sandboxes_per_10_s = 1").await;
    let answers = join_all([lab.get("/sleep/300"), lab.get("/sleep/300")]).await;
    let mut statuses: Vec<_> = answers.iter().map(|(status, _)| status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 503]);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_at_once_each_get_a_sandbox_and_none_is_lost() {
    let lab = TestLab::start("timeout_s = 60").await;
    let answers = join_all((0..100).map(|_| lab.get("/sleep/1500"))).await;
    assert!(answers.iter().all(|(status, _)| *status == 200));
    assert_eq!(lab.records(100).await.len(), 100);
    lab.retire().await;
    lab.stop().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_function_has_lambdas_quota_of_open_files() {
    let lab = TestLab::start("timeout_s = 5").await;
    let (_, limits) = lab.get("/limits").await;
    let open_files =
        limits.as_str().unwrap().lines().find(|line| line.starts_with("Max open files")).unwrap();
    let words: Vec<_> = open_files.split_ascii_whitespace().collect();
    assert_eq!(words[3..5], ["1024", "1024"], "{open_files}");
    lab.stop().await;
}
