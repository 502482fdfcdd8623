//! Spans at a collector: what it reads, and collectors that do not answer.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::*;

/// A collector that takes `requests` requests on one connection and answers each with `status`; its address and what it read.
fn collector(requests: usize, status: &'static str) -> (String, JoinHandle<Vec<ExportTraceServiceRequest>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let taken = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        (0..requests)
            .map(|_| {
                let (head, body) = request(&mut connection);
                assert!(head.starts_with("POST /v1/traces HTTP/1.1"), "{head}");
                assert!(head.to_lowercase().contains("content-type: application/x-protobuf"), "{head}");
                write!(connection, "HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\n{{}}").unwrap();
                ExportTraceServiceRequest::decode(&body[..]).unwrap()
            })
            .collect()
    });
    (address, taken)
}

fn request(connection: &mut impl Read) -> (String, Vec<u8>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        connection.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length =
        head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.expect("a length")];
    connection.read_exact(&mut body).unwrap();
    (head, body)
}

fn sending_to(address: &str) -> Process {
    Process::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", address), ("POWERTOOLS_SERVICE_NAME", "greeter")])
}

/// Runs `invocations` invocations and what comes after each, as the layer does; how long that was for all.
fn invoke(process: &Process, invocations: usize) -> Duration {
    let _default = tracing::dispatcher::set_default(&process.dispatch);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let begun = Instant::now();
    runtime.block_on(async {
        for _ in 0..invocations {
            let handler = async { crate::step!("s", rows = 32).in_scope(|| ()) };
            process.telemetry.invocation(&context(), handler).await;
            process.telemetry.send_traces().expect("an answer to wait for").await;
            process.telemetry.traces_sent();
        }
    });
    begun.elapsed()
}

#[test]
fn a_collector_reads_the_spans_of_each_invocation() {
    let (address, taken) = collector(2, "200 OK");
    let process = sending_to(&address);
    invoke(&process, 2);
    let requests = taken.join().unwrap();
    let resource = requests[0].resource_spans[0].resource.as_ref().unwrap();
    assert_eq!(resource.attributes[0].key, "service.name");
    let spans: Vec<_> = requests[0]
        .resource_spans
        .iter()
        .flat_map(|all| &all.scope_spans)
        .flat_map(|scope| &scope.spans)
        .collect();
    assert_eq!(
        spans.iter().map(|span| span.name.as_str()).collect::<Vec<_>>(),
        ["## init", "s", "## handler"]
    );
    let trace: Vec<u8> =
        (0..16).map(|n| u8::from_str_radix(&ROOT[2..].replace('-', "")[2 * n..][..2], 16).unwrap()).collect();
    assert!(spans.iter().all(|span| span.trace_id == trace));
    assert_eq!(spans[1].parent_span_id, spans[2].span_id);
    assert_eq!(
        spans[1].attributes.iter().map(|attribute| attribute.key.as_str()).collect::<Vec<_>>(),
        ["rows"]
    );
    assert_eq!(process.logs(), Vec::<Value>::new());
}

#[test]
fn a_collector_that_refuses_or_is_not_there_is_counted_and_told_once() {
    let (address, taken) = collector(2, "503 Service Unavailable");
    let process = sending_to(&address);
    invoke(&process, 2);
    taken.join().unwrap();
    assert_eq!(process.telemetry.traces().lost(Loss::Collector), 3 + 2);
    assert_eq!(process.logs().len(), 1);

    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let process = sending_to(&format!("http://{nobody}"));
    invoke(&process, 1);
    assert_eq!(process.telemetry.traces().lost(Loss::Collector), 3);
}

#[test]
fn a_collector_that_never_answers_costs_half_a_second_and_no_more() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let process = sending_to(&format!("http://{}", silent.local_addr().unwrap()));
    let waited = invoke(&process, 1);
    assert!(waited >= Duration::from_millis(500) && waited < Duration::from_secs(5), "{waited:?}");
    assert_eq!(process.telemetry.traces().lost(Loss::Collector), 3);
}
