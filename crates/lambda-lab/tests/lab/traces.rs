//! What functions see of tracing and send to the daemon's port, and what becomes of it.

use std::net::UdpSocket;
use std::time::Duration;

use http::Request;
use lambda_lab::lab::Options;
use lambda_lab::records::{DocumentSource, TraceDocument};
use lambda_lab::xray::Sampling;
use serde_json::{Value, json};

use crate::support::TestLab;

const ACTIVE: &str = "timeout_s = 5\ntracing = \"Active\"";
const HEAD: &str = "{\"format\": \"json\", \"version\": 1}\n";

fn all(options: &mut Options) {
    options.sampling = Sampling::All;
}

fn of_daemon(documents: &[TraceDocument]) -> Vec<&TraceDocument> {
    documents.iter().filter(|document| document.source == DocumentSource::Daemon).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_finds_the_daemon_and_its_documents_are_kept() {
    let lab = TestLab::start_with(ACTIVE, all).await;
    let (_, env) = lab.get("/env").await;
    let address = env["AWS_XRAY_DAEMON_ADDRESS"].as_str().unwrap();
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    assert_eq!(env["AWS_XRAY_CONTEXT_MISSING"], "LOG_ERROR");
    let parts = format!(
        "{}:{}",
        env["_AWS_XRAY_DAEMON_ADDRESS"].as_str().unwrap(),
        env["_AWS_XRAY_DAEMON_PORT"].as_str().unwrap()
    );
    assert_eq!(parts, address);
    lab.get("/subsegment").await;
    let records = lab.records(2).await;
    let (documents, summary) = lab.stop_with_traces().await;
    let [sent] = of_daemon(&documents)[..] else { panic!("{documents:?}") };
    assert_eq!((&sent.problems[..], &sent.document["name"]), (&[][..], &json!("## handler")));
    assert_eq!(sent.document["trace_id"], records[1].trace_id);
    let functions = documents.iter().filter(|one| one.document["origin"] == "AWS::Lambda::Function");
    let parents: Vec<_> = functions.map(|one| &one.document["id"]).collect();
    assert_eq!(parents[1], &sent.document["parent_id"], "it hangs on its invocation's segment");
    assert_eq!((summary.documents, summary.invalid_documents, summary.missing_parents), (5, 0, 0));
    assert!(matches!(summary.datagrams_lost, Some(0) | None));
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_unknown_traces_and_invalid_documents_are_kept_with_what_is_wrong() {
    let lab = TestLab::start_with(ACTIVE, all).await;
    let (_, env) = lab.get("/env").await;
    let client = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    client.connect(env["AWS_XRAY_DAEMON_ADDRESS"].as_str().unwrap()).unwrap();
    let trace_id = lab.records(1).await[0].trace_id.clone();
    let document = |change: &dyn Fn(&mut Value)| {
        let mut document = json!({
            "name": "a", "type": "subsegment", "id": "00000000000000aa", "trace_id": trace_id,
            "parent_id": "00000000000000ab", "start_time": 2.0, "end_time": 3.0,
        });
        change(&mut document);
        format!("{HEAD}{}", serde_json::to_string_pretty(&document).unwrap())
    };
    let large = "x".repeat(65_000);
    let datagrams: [(Vec<u8>, &str); 7] = [
        (b"\xff\xfe no document".to_vec(), "first line is no header"),
        (format!("{HEAD}{{\"name\": ").into(), "no JSON"),
        (format!("{HEAD}[]").into(), "no object"),
        (
            document(&|document| document["end_time"] = json!(1.0)).into(),
            "/end_time is 1.0: expected no time before",
        ),
        (
            document(&|document| document["trace_id"] = json!("1-5759e988-bd862e3fe1be46a994272793")).into(),
            "/trace_id is \"1-5759e988-bd862e3fe1be46a994272793\": expected a sampled trace that this lab handed",
        ),
        (
            document(&|document| document["annotations"] = json!({ "a.b": large })).into(),
            "/annotations/a.b is no key",
        ),
        (document(&|_| ()).into(), ""),
    ];
    for (datagram, _) in &datagrams {
        client.send(datagram).unwrap();
    }
    // Such a datagram cannot be sent at all, which its sender is told.
    assert!(client.send(format!("{HEAD}{}", "x".repeat(70_000)).as_bytes()).is_err());
    let (documents, summary) = lab.stop_with_traces().await;
    let sent = of_daemon(&documents);
    assert_eq!(sent.len(), datagrams.len());
    for (kept, (_, problem)) in sent.iter().zip(&datagrams) {
        assert!(kept.problems.join("\n").contains(problem), "{problem:?} in {:?}", kept.problems);
        assert_eq!(kept.problems.is_empty(), problem.is_empty(), "{:?}", kept.problems);
        assert_ne!(kept.document.is_null(), kept.text.is_none(), "a document, or how it begins");
    }
    assert_eq!(sent[0].text.as_deref(), Some("\u{fffd}\u{fffd} no document"));
    let counted =
        (summary.documents, summary.invalid_documents, summary.unknown_trace, summary.missing_parents);
    assert_eq!(
        counted,
        (9, 6, 1, 1),
        "two of the service's own, seven of ours, and one parent that never came"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pass_through_records_nothing_but_takes_what_the_function_sends() {
    let lab = TestLab::start_with("timeout_s = 5", all).await;
    let (_, header) = lab.get("/trace").await;
    let header = header.as_str().unwrap();
    assert!(header.starts_with("Root=1-") && !header.contains(';'), "a root and no more: {header}");
    let root = "1-5759e988-bd862e3fe1be46a994272793";
    let given = format!("Root={root};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a87bd80c:1");
    let ask = |path: &str| lab.send(Request::get(lab.url(path)).header("x-amzn-trace-id", &given));
    assert_eq!(ask("/trace").await.1, given.as_str(), "passed on as it came");
    ask("/subsegment").await;
    let records = lab.records(3).await;
    assert!(records.iter().all(|record| !record.sampled));
    assert!(!lab.log().contains("XRAY TraceId"));
    let (documents, summary) = lab.stop_with_traces().await;
    assert_eq!(documents.len(), 1, "{documents:?}");
    assert_eq!((&documents[0].problems[..], &documents[0].document["trace_id"]), (&[][..], &json!(root)));
    assert_eq!((summary.sampled_invocations, summary.missing_parents), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_samples_one_request_a_second_and_few_others() {
    let lab = TestLab::start("timeout_s = 5\ntracing = \"Active\"").await;
    let begun = std::time::Instant::now();
    let requests = 200;
    for _ in 0..requests {
        lab.get("/pid").await;
    }
    let seconds = begun.elapsed().as_secs() + 2;
    let records = lab.records(requests).await;
    let sampled = records.iter().filter(|record| record.sampled).count() as u64;
    assert!(records[0].sampled, "the first of its second");
    // 5 % of 200 are 10; 30 is more than six standard deviations beyond.
    assert!(sampled <= seconds + 30, "{sampled} of {requests} in {seconds} s");
    let (documents, summary) = lab.stop_with_traces().await;
    assert_eq!((summary.sampled_invocations, documents.len() as u64), (sampled, 2 * sampled));
}

#[tokio::test(flavor = "multi_thread")]
async fn sampling_none_records_nothing() {
    let lab = TestLab::start_with(ACTIVE, |options| options.sampling = Sampling::None).await;
    let (_, header) = lab.get("/trace").await;
    assert!(header.as_str().unwrap().ends_with(";Sampled=0"), "{header}");
    lab.get("/subsegment").await;
    let (documents, summary) = lab.stop_with_traces().await;
    assert_eq!(
        (documents.len(), summary.unknown_trace),
        (1, 1),
        "a function that does not heed the decision is told"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_on_disk_while_the_lab_runs() {
    let lab = TestLab::start_with(ACTIVE, all).await;
    lab.get("/pid").await;
    let file = lab.dir.path().join("traces/documents.jsonl");
    for _ in 0..100 {
        if std::fs::read_to_string(&file).unwrap().lines().count() == 2 {
            return lab.stop().await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no two documents within 5 s");
}
