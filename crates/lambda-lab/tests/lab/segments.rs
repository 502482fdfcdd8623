//! The service's own segments: cold, warm, failing, timed out, refused, in both styles.

use futures_util::future::join;
use http::Request;
use lambda_lab::records::{DocumentSource, TraceDocument, TracesSummary};
use lambda_lab::xray::{Sampling, SegmentStyle};
use serde_json::{Value, json};

use crate::support::TestLab;

const ACTIVE: &str = "timeout_s = 1\ntracing = \"Active\"";

async fn start(keys: &str, style: SegmentStyle) -> TestLab {
    TestLab::start_with(keys, |options| (options.sampling, options.segments) = (Sampling::All, style)).await
}

/// One trace: the service's segment, and the function's where there is one.
struct Trace {
    service: Value,
    function: Value,
}

/// The traces in the order of their requests; every document of the lab must be valid.
fn traces(documents: &[TraceDocument]) -> Vec<Trace> {
    for document in documents {
        assert_eq!(document.problems, [""; 0], "{}", document.document);
        assert_eq!(document.source, DocumentSource::Lambda);
    }
    let of = |origin: &'static str| {
        documents.iter().map(|line| &line.document).filter(move |one| one["origin"] == origin)
    };
    let mut traces: Vec<_> = of("AWS::Lambda")
        .map(|service| {
            let function = of("AWS::Lambda::Function").find(|one| one["trace_id"] == service["trace_id"]);
            Trace { service: service.clone(), function: function.cloned().unwrap_or_default() }
        })
        .collect();
    traces.sort_by(|a, b| start(&a.service).total_cmp(&start(&b.service)));
    return traces;

    fn start(segment: &Value) -> f64 {
        segment["start_time"].as_f64().unwrap()
    }
}

fn subsegment<'a>(segment: &'a Value, name: &str) -> &'a Value {
    let all = segment["subsegments"].as_array().into_iter().flatten();
    all.into_iter().find(|one| one["name"] == name).unwrap_or(&Value::Null)
}

fn times(entity: &Value) -> (f64, f64) {
    (entity["start_time"].as_f64().unwrap(), entity["end_time"].as_f64().unwrap())
}

/// From its start to its end.
fn duration_ms(entity: &Value) -> f64 {
    let (start, end) = times(entity);
    (end - start) * 1e3
}

fn cause(entity: &Value) -> (&str, &str) {
    assert_eq!(entity["fault"], true, "{entity}");
    let exception = &entity["cause"]["exceptions"][0];
    (exception["type"].as_str().unwrap(), exception["message"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cold_and_a_warm_invocation_have_the_services_two_segments() {
    let keys = format!("{ACTIVE}\nenv = {{ PROBE_INIT = \"sleep:100\" }}");
    let lab = start(&keys, SegmentStyle::New).await;
    lab.get("/sleep/50").await;
    let (_, header) = lab.get("/trace").await;
    let records = lab.records(2).await;
    let log = lab.log();
    let (documents, summary) = lab.stop_with_traces().await;
    let found = traces(&documents);
    assert_eq!(found.len(), 2);
    for (trace, record) in found.iter().zip(&records) {
        assert!(record.sampled);
        let Trace { service, function } = trace;
        assert_eq!((&service["name"], &function["name"]), (&json!("probe"), &json!("probe")));
        assert_eq!(service["trace_id"], record.trace_id);
        assert_eq!(service.get("parent_id"), None, "nobody came before");
        assert_eq!(service["http"], json!({ "response": { "status": 200 } }));
        assert_eq!(service["aws"]["request_id"], record.request_id);
        assert_eq!(service["aws"]["resource_names"], json!(["probe"]));
        assert_eq!(function["parent_id"], service["id"]);
        assert!(function.get("fault").is_none() && function.get("cause").is_none(), "{function}");
        // The segment is the invocation's time, as the record and REPORT have it.
        assert!((duration_ms(function) - record.duration_ms).abs() < 0.005, "{function} {record:?}");
        let started_us = function["start_time"].as_f64().unwrap() * 1e6;
        assert!((started_us - record.started_unix_us as f64).abs() < 2.0, "{started_us} {record:?}");
        let annotations = function["annotations"].as_object().unwrap();
        let names: Vec<_> = annotations.keys().map(String::as_str).collect();
        let expected =
            ["aws.extensionOverhead", "aws.responseDuration", "aws.responseLatency", "aws.runtimeOverhead"];
        assert_eq!(names, expected);
        let sum_ms: f64 = annotations.values().map(|ms| ms.as_f64().unwrap()).sum();
        assert!(
            (sum_ms - duration_ms(function)).abs() < 0.002,
            "the parts are the whole: {sum_ms} {function}"
        );
        let (service_start, service_end) = times(service);
        assert!(
            service_start <= times(function).0 && service_end <= times(function).1 + 1e-6,
            "{service} {function}"
        );
        let xray = format!(
            "XRAY TraceId: {}\tSegmentId: {}\tSampled: true",
            record.trace_id,
            function["id"].as_str().unwrap()
        );
        assert!(log.contains(&xray), "{xray} in {log}");
    }
    let init = subsegment(&found[0].function, "Init");
    assert!((duration_ms(init) - records[0].init_ms.unwrap()).abs() < 0.005, "{init} {:?}", records[0]);
    assert!(times(init).1 <= times(&found[0].function).0, "INIT ends before its invocation begins");
    assert_eq!(found[1].function.get("subsegments"), None, "a warm invocation has no INIT");
    let parent = format!("Parent={};Sampled=1", found[1].function["id"].as_str().unwrap());
    assert!(header.as_str().unwrap().ends_with(&parent), "{header}");
    let expected = TracesSummary { sampled_invocations: 2, documents: 4, ..summary };
    assert_eq!((summary, summary.invalid_documents, summary.missing_parents), (expected, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_style_has_initialization_invocation_and_overhead() {
    let lab = start(ACTIVE, SegmentStyle::Old).await;
    let (_, header) = lab.get("/trace").await;
    lab.get("/fail").await;
    let records = lab.records(2).await;
    let found = traces(&lab.stop_with_traces().await.0);
    let [first, second] = &found[..] else { panic!("{} traces", found.len()) };
    let names = |trace: &Trace| -> Vec<String> {
        let all = trace.function["subsegments"].as_array().unwrap();
        all.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(first), ["Initialization", "Invocation", "Overhead"]);
    assert_eq!(names(second), ["Invocation", "Overhead"]);
    assert_eq!(first.function.get("annotations"), None);
    let (invocation, overhead) =
        (subsegment(&first.function, "Invocation"), subsegment(&first.function, "Overhead"));
    assert_eq!(times(invocation).0, times(&first.function).0);
    assert_eq!(times(invocation).1, times(overhead).0);
    assert_eq!(times(overhead).1, times(&first.function).1);
    let parent = format!("Parent={};Sampled=1", invocation["id"].as_str().unwrap());
    assert!(header.as_str().unwrap().ends_with(&parent), "{header}");
    let init_ms = duration_ms(subsegment(&first.function, "Initialization"));
    assert!((init_ms - records[0].init_ms.unwrap()).abs() < 0.005, "{init_ms}");
    assert_eq!(cause(subsegment(&second.function, "Invocation")).1, "asked to fail");
    assert_eq!(cause(&second.function).1, "asked to fail");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_faults_of_the_function_with_their_cause() {
    let lab = start(ACTIVE, SegmentStyle::New).await;
    lab.get("/fail").await;
    lab.records(1).await;
    lab.get("/exit").await;
    lab.records(2).await;
    lab.get("/sleep/30000").await;
    lab.records(3).await;
    lab.get("/pid").await;
    let records = lab.records(4).await;
    let found = traces(&lab.stop_with_traces().await.0);
    assert_eq!(found.len(), 4);
    assert_eq!(cause(&found[0].function).1, "asked to fail");
    assert_eq!(cause(&found[1].function), ("Runtime.ExitError", "Runtime exited with error: exit status 7"));
    assert_eq!(cause(&found[2].function), ("Sandbox.Timedout", "Task timed out after 1.00 seconds"));
    assert!((duration_ms(&found[2].function) - 1000.0).abs() < 0.01, "the limit: {}", found[2].function);
    assert_eq!(found[2].function["annotations"], json!({}), "nothing was answered");
    for trace in &found {
        // "If the AWS::Lambda segment shows an error, the Lambda service had an issue."
        let flags = ["error", "fault", "throttle"].map(|flag| trace.service.get(flag));
        assert_eq!(flags, [None; 3], "{}", trace.service);
    }
    // What ended was started anew within the next invocation, which is longer by that.
    for (trace, record) in found.iter().zip(&records).skip(2) {
        let init = subsegment(&trace.function, "Init");
        assert!(times(init).0 >= times(&trace.function).0 && record.init_ms.is_none(), "{}", trace.function);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_init_that_fails_is_a_fault_of_its_own() {
    let keys = format!("{ACTIVE}\nenv = {{ PROBE_INIT_ONCE = \"$DIR/once\" }}");
    let lab = start(&keys, SegmentStyle::New).await;
    lab.get("/pid").await;
    lab.records(1).await;
    let found = traces(&lab.stop_with_traces().await.0);
    let function = &found[0].function;
    let inits: Vec<_> = function["subsegments"].as_array().unwrap().iter().collect();
    assert_eq!(inits.len(), 2, "it failed once, and went well within the invocation: {function}");
    assert_eq!(cause(inits[0]).0, "Runtime.ExitError");
    assert_eq!(inits[1].get("fault"), None);
    assert!(times(inits[0]).1 <= times(inits[1]).0 && times(inits[1]).0 >= times(function).0, "{function}");
    assert_eq!(function.get("fault"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_request_has_the_services_segment_alone() {
    let keys = format!("{ACTIVE}\nreserved_concurrency = 1");
    let lab = start(&keys, SegmentStyle::New).await;
    lab.get("/pid").await;
    lab.records(1).await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let second = async {
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        lab.get("/pid").await
    };
    let ((first, _), (second, _)) = join(lab.get("/sleep/600"), second).await;
    assert_eq!((first.as_u16(), second.as_u16()), (200, 503));
    lab.records(2).await;
    let (documents, summary) = lab.stop_with_traces().await;
    let found = traces(&documents);
    let Trace { service, function } = &found[2];
    assert_eq!(function, &Value::Null);
    assert_eq!(service["http"]["response"]["status"], 429);
    assert_eq!((&service["error"], &service["throttle"]), (&json!(true), &json!(true)));
    assert_eq!(
        (summary.sampled_invocations, summary.documents),
        (2, 5),
        "what was throttled was not invoked"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callers_segment_is_the_parent_and_its_decision_is_respected() {
    let lab = start(ACTIVE, SegmentStyle::New).await;
    let root = "1-5759e988-bd862e3fe1be46a994272793";
    let ask = |header: String| lab.send(Request::get(lab.url("/trace")).header("x-amzn-trace-id", header));
    let (_, not_sampled) = ask(format!("Root={root};Parent=53995c3f42cd8ad8;Sampled=0")).await;
    assert!(not_sampled.as_str().unwrap().ends_with(";Sampled=0"), "{not_sampled}");
    ask(format!("Root={root};Parent=53995C3F42CD8AD8;Sampled=1;Lineage=a87bd80c:1")).await;
    let records = lab.records(2).await;
    assert_eq!(records.iter().map(|record| record.sampled).collect::<Vec<_>>(), [false, true]);
    let (documents, summary) = lab.stop_with_traces().await;
    let found = traces(&documents);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0].service["trace_id"], &found[0].service["parent_id"]),
        (&json!(root), &json!("53995c3f42cd8ad8"))
    );
    assert_eq!(summary.missing_parents, 0, "the caller's segment is its own to send");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provisioned_sandbox_shows_its_init_in_its_first_invocation() {
    let keys = format!("{ACTIVE}\nprovisioned_concurrency = 1");
    let lab = start(&keys, SegmentStyle::New).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    lab.get("/pid").await;
    lab.get("/pid").await;
    lab.records(2).await;
    let found = traces(&lab.stop_with_traces().await.0);
    let gap_s = times(&found[0].function).0 - times(subsegment(&found[0].function, "Init")).1;
    assert!(gap_s >= 0.3, "initialized well in advance: {gap_s}");
    assert_eq!(subsegment(&found[1].function, "Init"), &Value::Null);
}
