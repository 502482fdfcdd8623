//! Invocations that go well: sandboxes, environment, records.

use std::time::Duration;

use futures_util::future::join;
use http::Request;
use lambda_lab::records::{Invocation, Status};

use crate::support::{TestLab, runs};

#[tokio::test(flavor = "multi_thread")]
async fn first_request_is_cold_the_next_reuses_its_sandbox() {
    let lab = TestLab::start("timeout_s = 5\nenv = { PROBE_INIT = \"sleep:200\" }").await;
    let (_, first) = lab.get("/pid").await;
    let (_, second) = lab.get("/pid").await;
    assert_eq!(first, second);
    let records = lab.records(2).await;
    assert_eq!(records.iter().map(|record| record.cold).collect::<Vec<_>>(), [true, false]);
    assert_eq!(records[0].sandbox, records[1].sandbox);
    let init_ms = records[0].init_ms.unwrap();
    assert!(init_ms >= 200.0, "INIT lasts from the start of the process to its first next: {init_ms}");
    assert!(records[0].duration_ms < init_ms, "INIT is not part of the duration: {}", records[0].duration_ms);
    assert_eq!(records[1].init_ms, None);
    assert!(records.iter().all(|record| record.status == Status::Success));
    let expected = format!("REPORT RequestId: {}\tDuration: ", records[0].request_id);
    assert!(lab.log().contains(&expected), "{}", lab.log());
    lab.stop().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn cpu_and_memory_are_measured() {
    let lab = TestLab::start("timeout_s = 5").await;
    lab.get("/pid").await;
    let record = &lab.records(1).await[0];
    let (cpu_ms, init_cpu_ms) = (record.cpu_ms.unwrap(), record.init_cpu_ms.unwrap());
    assert!(cpu_ms > 0.0 && init_cpu_ms > 0.0, "{record:?}");
    let max_memory_mb = record.max_memory_mb.unwrap();
    assert!((0.5..128.0).contains(&max_memory_mb), "measured, not the configured 128: {max_memory_mb}");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_flight_get_a_sandbox_each_and_the_latest_used_serves_next() {
    let lab = TestLab::start("timeout_s = 5").await;
    let ((_, short), (_, long)) = join(lab.get("/sleep/300"), lab.get("/sleep/600")).await;
    assert_ne!(short, long);
    // The answer leaves before its sandbox is free again: give the later one time to be.
    let records = lab.records(2).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let ended_ms = |record: &Invocation| record.started_unix_us as f64 / 1e3 + record.duration_ms;
    let last = records.iter().max_by(|a, b| ended_ms(a).total_cmp(&ended_ms(b))).unwrap();
    // On a busy machine the shorter one may have started so late that it ends last.
    let latest = if last.duration_ms >= 600.0 { &long } else { &short };
    for count in 3..6 {
        assert_eq!(lab.get("/pid").await.1, *latest, "the most recently used sandbox serves first");
        lab.records(count).await;
    }
    lab.stop().await;
    assert!(!runs(&short) && !runs(&long), "no sandbox outlives the lab");
}

#[tokio::test(flavor = "multi_thread")]
async fn environment_is_lambdas_and_nothing_of_ours() {
    let lab = TestLab::start("timeout_s = 5\nenv = { OWN = \"yes\", TZ = \"overridden\" }").await;
    let (_, env) = lab.get("/env").await;
    assert_eq!(env["OWN"], "yes");
    assert_eq!(env["TZ"], ":UTC", "Lambda's own variables win");
    assert_eq!(env["AWS_LAMBDA_FUNCTION_NAME"], "probe");
    assert_eq!(env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "128");
    assert_eq!(env["AWS_LAMBDA_INITIALIZATION_TYPE"], "on-demand");
    assert!(env["AWS_ENDPOINT_URL_SSM"].as_str().unwrap().starts_with("https://"));
    for leaked in ["HOME", "CARGO_MANIFEST_DIR", "USER", "LAMBDA_LAB"] {
        assert!(env.get(leaked).is_none(), "{leaked} leaked into the function");
    }
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deadline_is_true_and_the_trace_is_joined() {
    let lab = TestLab::start("timeout_s = 5").await;
    let (_, left_ms) = lab.get("/deadline").await;
    assert!((1..=5000).contains(&left_ms.as_u64().unwrap()), "{left_ms}");
    let root = "1-5759e988-bd862e3fe1be46a994272793";
    let header = format!("Root={root};Parent=53995c3f42cd8ad8;Sampled=1");
    let (_, seen) = lab.send(Request::get(lab.url("/trace")).header("x-amzn-trace-id", header)).await;
    assert!(seen.as_str().unwrap().starts_with(&format!("Root={root};Parent=")), "{seen}");
    assert!(seen.as_str().unwrap().ends_with(";Sampled=1"), "{seen}");
    assert_eq!(lab.records(2).await[1].trace_id, root);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn path_and_query_reach_the_function() {
    let lab = TestLab::start("timeout_s = 5").await;
    let (status, event) = lab.get("/event?a=1&a=2").await;
    assert_eq!((status.as_u16(), &event["rawPath"]), (200, &"/event".into()));
    assert_eq!(event["queryStringParameters"]["a"], "1,2");
    let (status, _) = lab.get("/no/such/path").await;
    assert_eq!(status, 404, "a function's own status is passed on");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retiring_ends_the_processes_and_the_next_request_is_cold() {
    let lab = TestLab::start("timeout_s = 5").await;
    let (_, first) = lab.get("/pid").await;
    assert_eq!(lab.retire().await, 1);
    assert!(!runs(&first));
    let (_, second) = lab.get("/pid").await;
    assert_ne!(first, second);
    assert!(lab.records(2).await[1].cold);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn control_port_refuses_callers_without_its_token() {
    let lab = TestLab::start("timeout_s = 5").await;
    let (status, body) = lab.send(Request::post(lab.control_url("/stop"))).await;
    assert_eq!(status, 401, "{body}");
    assert!(body["message"].as_str().unwrap().contains("Bearer"), "{body}");
    assert!(lab.counters().await.ssm.is_empty());
    lab.stop().await;
}
