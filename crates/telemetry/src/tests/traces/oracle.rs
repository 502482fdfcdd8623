//! Our documents beside those of opentelemetry-aws's own translator, for the same spans.

use opentelemetry::Value as Attribute;
use opentelemetry::trace::{Event, Status};
use opentelemetry_aws::xray_exporter::SegmentTranslator;
use opentelemetry_sdk::trace::SpanData;

use super::*;
use crate::InStep;

/// The same spans as it would be sent by the crate. It takes an exception from an event only, so recorded ones become one.
fn translated(spans: &[SpanData]) -> Vec<Value> {
    let spans: Vec<_> = spans.iter().cloned().map(with_exception_events).collect();
    let translator = SegmentTranslator::new().skip_timestamp_validation();
    translator
        .translate_spans(&spans)
        .iter()
        .map(|document| serde_json::from_str(&document.to_string()).unwrap())
        .collect()
}

fn with_exception_events(mut span: SpanData) -> SpanData {
    let (exceptions, others) =
        span.attributes.into_iter().partition(|attribute| attribute.key.as_str().starts_with("exception."));
    span.attributes = others;
    let exceptions: Vec<_> = exceptions;
    if !exceptions.is_empty() {
        span.events.events.push(Event::new("exception", span.end_time, exceptions, 0));
    }
    span
}

#[test]
fn both_say_the_same_of_the_same_spans() {
    let traced = Traced::start(&[]);
    traced.invoke(&context(), async {
        crate::step!("plain", annotation.text = "t", annotation.whole = 1, annotation.half = 0.5)
            .in_scope(|| ());
        crate::step!(
            "SSM",
            otel.kind = "client",
            rpc.system = "aws-api",
            rpc.method = "GetParameters",
            cloud.region = "eu-central-1"
        )
        .in_scope(|| ());
        for status in [200, 404, 429, 503] {
            let call = crate::step!("call", otel.kind = "client", http.response.status_code = status);
            // To the crate a status alone is no failure.
            call.record("otel.status_code", if status < 400 { "OK" } else { "ERROR" });
            call.in_scope(|| ());
        }
        let _ = async { Err::<(), _>(std::fmt::Error) }.in_step(crate::step!("failing")).await;
        tracing::error!("request failed");
    });
    let spans = traced.memory.spans.lock().unwrap().clone();
    let (ours, theirs) = (traced.documents(), translated(&spans));
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        for key in [
            "name",
            "id",
            "trace_id",
            "parent_id",
            "type",
            "namespace",
            "fault",
            "error",
            "throttle",
            "annotations",
        ] {
            assert_eq!(ours.get(key), theirs.get(key), "{key}\n{ours:#}\n{theirs:#}");
        }
        for key in ["start_time", "end_time"] {
            let (ours, theirs) = (ours[key].as_f64().unwrap(), theirs[key].as_f64().unwrap());
            assert!((ours - theirs).abs() < 2e-6, "{key} {ours} {theirs}");
        }
        for pointer in ["/http/response/status", "/aws/operation", "/aws/region"] {
            assert_eq!(ours.pointer(pointer), theirs.pointer(pointer), "{pointer}\n{ours:#}\n{theirs:#}");
        }
    }
    let message = "/cause/exceptions/0/message";
    let (ours, theirs) = (named(&ours, "failing"), named(&theirs, "failing"));
    assert_eq!(ours.pointer(message).unwrap(), theirs.pointer(message).unwrap());
}

#[test]
fn what_the_crate_loses_we_do_not_and_every_name_of_ours_it_takes() {
    let traced = Traced::start(&[]);
    traced.invoke(&context(), async { crate::step!("s").in_scope(|| ()) });
    let mut span = traced.spans().swap_remove(1);
    let mut lost_by_the_crate = 0;
    // Every character that has a say, and some of each plane.
    for code in (0..0x3000).chain((0x3000..0x2_0000).step_by(97)) {
        let Some(character) = char::from_u32(code) else { continue };
        span.name = format!("a{character}b").into();
        lost_by_the_crate += usize::from(translated(std::slice::from_ref(&span)).is_empty());
        let (ours, _) = traced.documents_of(std::slice::from_ref(&span));
        let fitted = ours[0]["name"].as_str().unwrap().to_owned();
        span.name = fitted.clone().into();
        assert_eq!(translated(std::slice::from_ref(&span)).len(), 1, "U+{code:04X} became {fitted:?}");
    }
    assert!(lost_by_the_crate > 100, "{lost_by_the_crate}");

    span.name = "s".into();
    span.status = Status::Unset;
    let attributes = vec![opentelemetry::KeyValue::new("exception.message", Attribute::from("m"))];
    span.events.events.push(Event::new("exception", span.end_time, attributes, 0));
    assert!(translated(std::slice::from_ref(&span)).is_empty(), "the crate has mended this: ours may go");
    assert_eq!(traced.documents_of(&[span]).0.len(), 1);
}
