//! The documents of whole invocations.

use tracing::Instrument;
use tracing::field::Empty;

use super::*;

/// The bytes of a document with its own ids and times replaced by names.
fn with_names(document: &Value, text: &str) -> String {
    let mut text = text.to_owned();
    for key in ["id", "start_time", "end_time"] {
        let value = match &document[key] {
            Value::String(id) => format!("\"{key}\":\"{id}\""),
            _ => {
                let start = text.find(&format!("\"{key}\":")).unwrap();
                let length = text[start..].find(',').unwrap_or_else(|| text[start..].find('}').unwrap());
                text[start..start + length].to_owned()
            }
        };
        text = text.replacen(&value, &format!("\"{key}\":{}", key.to_uppercase()), 1);
    }
    text
}

#[test]
fn a_whole_invocation_byte_by_byte() {
    let traced = Traced::start(&[("POWERTOOLS_SERVICE_NAME", "greeter")]);
    traced.invoke(&context_of(Some("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0")), async {});
    traced.process.invoke(&context(), async {
        async {
            let call = crate::step!(
                "SSM",
                otel.kind = "client",
                rpc.system = "aws-api",
                rpc.method = "GetParameters",
                cloud.region = "eu-central-1",
                aws.request_id = Empty,
                http.response.status_code = Empty,
            );
            async {}.instrument(call.clone()).await;
            call.record("aws.request_id", "c1d2");
            call.record("http.response.status_code", 200);
        }
        .instrument(crate::step!("parameters"))
        .await;
        crate::step!("cache.get", annotation.hit = true, bytes = 17).in_scope(|| ());
        crate::step!("greetings", otel.kind = "client", http.response.status_code = 204).in_scope(|| ());
    });
    traced.send();
    let texts = traced.memory.documents.lock().unwrap().clone();
    let documents = traced.documents();
    assert_eq!(names(&documents), ["## init", "SSM", "parameters", "cache.get", "greetings", "## handler"]);
    let id = |name: &str| named(&documents, name)["id"].as_str().unwrap().to_owned();
    let start = |name: &str, parent: &str| {
        format!(
            r#"{{"name":"{name}","id":ID,"trace_id":"{ROOT}","parent_id":"{parent}","type":"subsegment","start_time":START_TIME,"end_time":END_TIME"#
        )
    };
    let handler = id("## handler");
    let expected = [
        start("## init", PARENT) + "}",
        start("SSM", &id("parameters"))
            + r#","namespace":"aws","http":{"response":{"status":200}},"aws":{"operation":"GetParameters","region":"eu-central-1","request_id":"c1d2"}}"#,
        start("parameters", &handler) + "}",
        start("cache.get", &handler) + r#","annotations":{"hit":true},"metadata":{"greeter":{"bytes":17}}}"#,
        start("greetings", &handler) + r#","namespace":"remote","http":{"response":{"status":204}}}"#,
        start("## handler", PARENT)
            + r#","annotations":{"ColdStart":false,"Service":"greeter"},"metadata":{"greeter":{"init_ms":INIT}}}"#,
    ];
    for ((document, text), expected) in documents.iter().zip(&texts).zip(expected) {
        let init_ms = document["metadata"]["greeter"]["init_ms"].to_string();
        let actual =
            with_names(document, text).replace(&format!("\"init_ms\":{init_ms}"), "\"init_ms\":INIT");
        assert_eq!(actual.trim_end_matches('}'), expected.trim_end_matches('}'));
    }
}

#[test]
fn times_have_microseconds_and_children_lie_within_their_parents() {
    let traced = Traced::start(&[]);
    let before = now_us();
    traced.invoke(&context(), async {
        async { tokio::task::yield_now().await }.instrument(crate::step!("outer")).await;
    });
    let after = now_us();
    let texts = traced.memory.documents.lock().unwrap().clone();
    for text in &texts {
        let (_, times) = text.split_once("\"start_time\":").unwrap();
        let (seconds, micros) = times.split_once(',').unwrap().0.split_once('.').unwrap();
        assert!(seconds.len() == 10 && micros.len() == 6, "{text}");
    }
    let documents = traced.documents();
    let time = |name: &str, key: &str| (named(&documents, name)[key].as_f64().unwrap() * 1e6).round() as u128;
    let (start, end) = (time("## handler", "start_time"), time("## handler", "end_time"));
    let (inner_start, inner_end) = (time("outer", "start_time"), time("outer", "end_time"));
    assert!(before <= start && start <= inner_start && inner_start <= inner_end, "{documents:#?}");
    assert!(inner_end <= end && end <= after, "{documents:#?}");
}

fn now_us() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros()
}

#[test]
fn a_clock_that_is_set_back_makes_a_step_without_a_length() {
    let traced = Traced::start(&[]);
    traced.invoke(&context(), async { crate::step!("s").in_scope(|| ()) });
    let mut spans = traced.spans();
    let start = std::time::UNIX_EPOCH + std::time::Duration::from_micros(1_790_000_000_000_007);
    (spans[1].start_time, spans[1].end_time) = (start, start - std::time::Duration::from_secs(3600));
    traced.memory.send(spans, &Arc::default());
    let text = traced.memory.documents.lock().unwrap()[1].clone();
    assert!(text.contains(r#""start_time":1790000000.000007,"end_time":1790000000.000007"#), "{text}");
    traced.documents();
}

#[test]
fn names_and_keys_that_xray_would_refuse_are_made_fit() {
    let traced = Traced::start(&[("POWERTOOLS_SERVICE_NAME", "a \"service\"")]);
    traced.invoke(&context(), async {
        crate::step!("GET product:{id}", "annotation.a-b" = 1).in_scope(|| ());
        crate::step!("SELECT * FROM t", "annotation.ключ" = "é").in_scope(|| ());
    });
    let documents = traced.documents();
    assert_eq!(named(&documents, "GET product:_id_")["annotations"]["a_b"], 1);
    assert_eq!(named(&documents, "SELECT _ FROM t")["annotations"]["____"], "é");
    assert_eq!(named(&documents, "## handler")["annotations"]["Service"], "a \"service\"");
}

#[test]
fn a_field_set_twice_is_written_once_with_its_last_value() {
    let traced = Traced::start(&[]);
    traced.invoke(&context(), async {
        let step =
            crate::step!("s", annotation.tries = 1, rows = 1, "annotation.a.b" = 1, "annotation.a_b" = 2);
        step.record("annotation.tries", 2);
        step.record("rows", 3);
        step.in_scope(|| ());
    });
    let text = traced.memory.documents.lock().unwrap()[1].clone();
    let step = &traced.documents()[1];
    assert_eq!(step["annotations"], serde_json::json!({"tries": 2, "a_b": 2}), "{text}");
    assert_eq!(step["metadata"]["service_undefined"]["rows"], 3, "{text}");
    for key in ["tries", "rows", "a_b"] {
        assert_eq!(text.matches(&format!("\"{key}\":")).count(), 1, "{text}");
    }
}

#[test]
fn a_long_text_is_shortened_and_numbers_without_a_number_are_texts() {
    let traced = Traced::start(&[]);
    let long = "é".repeat(30_000);
    traced.invoke(&context(), async {
        crate::step!("s", annotation.long = long, annotation.nan = f64::NAN, whole = 2.0).in_scope(|| ());
    });
    let step = &traced.documents()[1];
    assert_eq!(step["annotations"]["long"].as_str().unwrap().len(), 1000);
    assert_eq!(step["annotations"]["nan"], "NaN");
    assert_eq!(step["metadata"]["service_undefined"]["whole"], 2);
}

#[test]
fn as_lines_of_stdout_documents_stand_between_the_logs() {
    let process = Process::start(&[("OTEL_TRACES_EXPORTER", "console")]);
    process.invoke(&context(), async {
        crate::step!("s").in_scope(|| tracing::info!("said"));
    });
    process.send_traces();
    let lines = process.lines();
    let documents: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("\"subsegment\""))
        .map(|line| rules::checked(line))
        .collect();
    assert_eq!(names(&documents), ["## init", "s", "## handler"]);
    let said = process.logs();
    assert!(said.iter().any(|line| line["message"] == "said" && line["function_request_id"] == REQUEST_ID));
}
