//! What cannot be sent, and who is told.

use std::net::UdpSocket;

use super::*;

/// A process that sends to a daemon on this port.
fn sending_to(port: u16) -> Process {
    Process::start(&[("AWS_XRAY_DAEMON_ADDRESS", &format!("127.0.0.1:{port}"))])
}

fn invoke(process: &Process, handler: impl Future<Output = ()>) {
    process.invoke(&context(), handler);
    process.send_traces();
}

fn datagrams(daemon: &UdpSocket) -> Vec<Value> {
    daemon.set_nonblocking(true).unwrap();
    let mut buffer = [0; 65_536];
    let mut documents = Vec::new();
    while let Ok(length) = daemon.recv(&mut buffer) {
        let text = std::str::from_utf8(&buffer[..length]).unwrap();
        let (header, document) = text.split_once('\n').unwrap();
        assert_eq!(header, r#"{"format": "json", "version": 1}"#);
        documents.push(rules::checked(document));
    }
    documents
}

#[test]
fn a_daemon_gets_a_datagram_for_each_document() {
    let daemon = UdpSocket::bind("127.0.0.1:0").unwrap();
    let process = sending_to(daemon.local_addr().unwrap().port());
    invoke(&process, async { crate::step!("s").in_scope(|| ()) });
    assert_eq!(names(&datagrams(&daemon)), ["## init", "s", "## handler"]);
}

#[test]
fn a_dead_daemon_costs_its_documents_is_told_once_and_a_new_one_is_found() {
    let dead = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = dead.local_addr().unwrap().port();
    drop(dead);
    let process = sending_to(port);
    for _ in 0..20 {
        invoke(&process, async { crate::step!("s").in_scope(|| ()) });
    }
    let lost = process.telemetry.traces().lost(Loss::Refused);
    // The last datagram's fate would be told by the next one.
    assert_eq!(lost, 20 * 2 + 1 - 1);
    let logs = process.logs();
    assert_eq!(logs.len(), 1, "{logs:?}");
    assert!(logs[0]["message"].as_str().unwrap().contains("AWS_XRAY_DAEMON_ADDRESS"), "{logs:?}");

    let daemon = UdpSocket::bind(("127.0.0.1", port)).unwrap();
    invoke(&process, async { crate::step!("s").in_scope(|| ()) });
    let documents = datagrams(&daemon);
    assert_eq!(names(&documents), ["s", "## handler"], "a refusal takes no other document with it");
    assert_eq!(named(&documents, "## handler")["metadata"]["service_undefined"]["lost_refused"], lost);
    invoke(&process, async {});
    let documents = datagrams(&daemon);
    let metadata = &named(&documents, "## handler")["metadata"];
    assert_eq!(metadata["service_undefined"]["lost_refused"], lost + 1, "the one whose fate was not known");
    invoke(&process, async {});
    assert!(named(&datagrams(&daemon), "## handler").get("metadata").is_none(), "told once");
}

#[test]
fn no_network_at_all_is_counted() {
    // A broadcast address is refused to a socket that did not ask for it.
    let process = Process::start(&[("AWS_XRAY_DAEMON_ADDRESS", "255.255.255.255:2000")]);
    invoke(&process, async {});
    assert_eq!(process.telemetry.traces().lost(Loss::Network), 2);
    assert_eq!(process.logs().len(), 1);
}

#[test]
fn an_oversized_document_loses_its_metadata_and_nothing_else_is_lost() {
    let traced = Traced::start(&[]);
    let long = "m".repeat(4000);
    let long = long.as_str();
    traced.invoke(&context(), async {
        crate::step!("before").in_scope(|| ());
        crate::step!(
            "large",
            annotation.kept = 1,
            a = long,
            b = long,
            c = long,
            d = long,
            e = long,
            f = long,
            g = long,
            h = long,
            i = long,
            j = long,
            k = long,
            l = long,
            m = long,
            n = long,
            o = long,
            p = long
        )
        .in_scope(|| ());
        crate::step!("after").in_scope(|| ());
    });
    let documents = traced.documents();
    assert_eq!(names(&documents), ["## init", "before", "large", "after", "## handler"]);
    let large = named(&documents, "large");
    assert_eq!(large["annotations"]["kept"], 1);
    let left_out = large["metadata"]["service_undefined"]["left_out"].as_str().unwrap();
    assert!(left_out.contains("bytes"), "{left_out}");
}

#[test]
fn a_document_that_stays_too_large_is_lost_alone_and_counted() {
    use opentelemetry::KeyValue;

    let traced = Traced::start(&[]);
    traced.invoke(&context(), async { crate::step!("s").in_scope(|| ()) });
    let mut spans = traced.spans();
    let long = "\u{1}".repeat(1000); // six bytes each, as JSON
    spans[1].attributes.extend((0..50).map(|n| KeyValue::new(format!("annotation.a{n}"), long.clone())));
    let (documents, losses) = traced.documents_of(&spans);
    assert_eq!(names(&documents), ["## init", "## handler"]);
    assert_eq!(losses.total(Loss::TooLarge), 1);
}

#[test]
fn one_bad_document_takes_no_other_datagram_with_it() {
    let daemon = UdpSocket::bind("127.0.0.1:0").unwrap();
    let process = sending_to(daemon.local_addr().unwrap().port());
    let long = "\u{1}".repeat(1000); // six bytes each, as JSON
    let long = long.as_str();
    invoke(&process, async {
        crate::step!("before").in_scope(|| ());
        crate::step!(
            "bad",
            annotation.a = long,
            annotation.b = long,
            annotation.c = long,
            annotation.d = long,
            annotation.e = long,
            annotation.f = long,
            annotation.g = long,
            annotation.h = long,
            annotation.i = long,
            annotation.j = long,
            annotation.k = long
        )
        .in_scope(|| ());
        crate::step!("after").in_scope(|| ());
    });
    assert_eq!(names(&datagrams(&daemon)), ["## init", "before", "after", "## handler"]);
    assert_eq!(process.telemetry.traces().lost(Loss::TooLarge), 1);
    assert_eq!(process.logs().len(), 1, "{:?}", process.logs());
}

#[test]
fn a_span_without_a_parent_is_refused_and_counted() {
    use opentelemetry::trace::SpanId;

    let traced = Traced::start(&[]);
    traced.invoke(&context(), async { crate::step!("s").in_scope(|| ()) });
    let mut spans = traced.spans();
    spans[1].parent_span_id = SpanId::INVALID;
    let (documents, losses) = traced.documents_of(&spans);
    assert_eq!(names(&documents), ["## init", "## handler"]);
    assert_eq!(losses.total(Loss::NoParent), 1);
}

#[test]
fn a_runaway_handler_and_a_missing_layer_are_bounded() {
    let traced = Traced::start(&[]);
    traced.invoke(&context(), async {
        for _ in 0..300 {
            crate::step!("again").in_scope(|| ());
        }
    });
    let documents = traced.documents();
    assert_eq!(documents.len(), 256 + 1, "INIT is one of the 256");
    assert_eq!(named(&documents, "## handler")["parent_id"], PARENT);
    assert_eq!(traced.lost(Loss::TooMany), 300 + 1 - 256);
    for _ in 0..2000 {
        traced.process.invoke(&context(), async {});
    }
    assert_eq!(traced.lost(Loss::TooMany), 300 + 1 - 256 + 2000 - 1024);
    traced.send();
    assert_eq!(traced.documents().len(), 1024);
    assert!(traced.process.logs().iter().any(|line| line["lost"].is_number()));
}
