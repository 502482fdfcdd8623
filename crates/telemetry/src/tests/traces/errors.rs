//! Failing steps and handlers.

use std::task::Poll;

use super::*;
use crate::InStep;

#[derive(Debug, thiserror::Error)]
#[error("no rows")]
struct NoRows {
    #[source]
    source: std::io::Error,
}

fn no_rows() -> NoRows {
    NoRows { source: std::io::Error::other("connection lost") }
}

async fn failing(step: tracing::Span) -> Result<u32, NoRows> {
    async { Err::<u32, _>(no_rows()) }.in_step(step).await
}

#[test]
fn a_failed_step_is_a_fault_with_its_error_and_causes_and_the_error_goes_on() {
    let traced = Traced::start(&[]);
    traced.invoke(&context(), async {
        assert_eq!(failing(crate::step!("db.query")).await.unwrap_err().to_string(), "no rows");
        assert_eq!(async { Ok::<_, NoRows>(5) }.in_step(crate::step!("serialize")).await.unwrap(), 5);
    });
    let documents = traced.documents();
    let query = named(&documents, "db.query");
    assert_eq!(query["fault"], true);
    let exception = &query["cause"]["exceptions"][0];
    assert_eq!(exception["message"], "no rows: connection lost");
    assert!(exception["type"].as_str().unwrap().ends_with("errors::NoRows"), "{exception}");
    for sound in ["serialize", "## handler", "## init"] {
        let document = named(&documents, sound);
        assert!(document.get("fault").is_none() && document.get("cause").is_none(), "{document}");
    }
}

#[test]
fn an_error_that_is_logged_makes_the_handler_a_fault_and_a_warning_does_not() {
    let traced = Traced::start(&[]);
    traced.invoke(&context(), async {
        let error = failing(crate::step!("db.query")).await.unwrap_err();
        tracing::error!(%error, "request failed");
        crate::step!("cache.get").in_scope(|| tracing::warn!(%error, "going on without the cache"));
        crate::step!("deep").in_scope(|| tracing::error!("said deep inside"));
    });
    let events: usize = traced.memory.spans.lock().unwrap().iter().map(|span| span.events.len()).sum();
    assert_eq!(events, 2, "only errors are copied from the log");
    let documents = traced.documents();
    let handler = named(&documents, "## handler");
    assert_eq!(handler["fault"], true);
    assert_eq!(handler["cause"]["exceptions"][0]["message"], "request failed: no rows");
    assert_eq!(handler["cause"]["exceptions"].as_array().unwrap().len(), 1);
    assert_eq!(named(&documents, "deep")["cause"]["exceptions"][0]["message"], "said deep inside");
    assert!(named(&documents, "cache.get").get("fault").is_none());
    let ids: std::collections::HashSet<_> =
        documents.iter().filter_map(|document| document["cause"]["exceptions"][0]["id"].as_str()).collect();
    assert_eq!(ids.len(), 3, "an exception's id is its own: {documents:#?}");
}

#[test]
fn http_statuses_are_errors_throttles_and_faults() {
    let traced = Traced::start(&[]);
    traced.invoke(&context(), async {
        for status in [200, 404, 429, 503] {
            crate::step!("call", otel.kind = "client", http.response.status_code = status).in_scope(|| ());
        }
    });
    let flags: Vec<_> =
        traced.documents().iter().filter(|document| document["name"] == "call").map(set).collect();
    assert_eq!(flags, [vec![], vec!["error"], vec!["error", "throttle"], vec!["fault"]]);
}

fn set(document: &Value) -> Vec<&'static str> {
    ["error", "throttle", "fault"].into_iter().filter(|flag| document[flag] == true).collect()
}

#[test]
fn without_capture_errors_are_flagged_and_not_described() {
    let traced = Traced::start(&[("POWERTOOLS_TRACER_CAPTURE_ERROR", "false")]);
    traced.invoke(&context(), async {
        failing(crate::step!("db.query")).await.unwrap_err();
        tracing::error!("request failed");
    });
    for name in ["db.query", "## handler"] {
        let documents = traced.memory.documents.lock().unwrap().clone();
        let document = documents.iter().find(|text| text.contains(name)).unwrap();
        let document = rules::checked(document);
        assert!(document["fault"] == true && document.get("cause").is_none(), "{document}");
    }
}

#[test]
fn messages_and_their_number_are_limited() {
    let traced = Traced::start(&[]);
    traced.invoke(&context(), async {
        for _ in 0..8 {
            tracing::error!(error = "x".repeat(5000), "failed");
        }
    });
    let documents = traced.documents();
    let cause = &named(&documents, "## handler")["cause"];
    assert_eq!(cause["exceptions"].as_array().unwrap().len(), 5);
    assert_eq!((&cause["exceptions"][4]["skipped"], cause.get("skipped")), (&3.into(), None));
    assert_eq!(cause["exceptions"][0]["message"].as_str().unwrap().len(), 2000);
}

#[test]
fn a_handler_that_panics_or_is_dropped_leaves_a_trace() {
    let traced = Traced::start(&[]);
    let panicking =
        std::panic::AssertUnwindSafe(|| traced.invoke(&context(), async { panic!("for the test") }));
    std::panic::catch_unwind(panicking).unwrap_err();
    traced.send();
    let documents = traced.documents();
    let handler = named(&documents, "## handler");
    assert!(handler["fault"] == true, "{handler}");
    assert_eq!(handler["cause"]["exceptions"][0]["message"], "the handler panicked");

    let process = &traced.process;
    process.run(async {
        let mut never = Box::pin(process.telemetry.invocation_of(
            &process.dispatch,
            &context(),
            std::future::pending::<()>(),
        ));
        std::future::poll_fn(|context| Poll::Ready(never.as_mut().poll(context).is_pending())).await;
    });
    traced.send();
    let documents = traced.documents();
    assert_eq!(names(&documents), ["## handler"]);
    assert!(documents[0].get("fault").is_none());
}
