//! Invocations that run at the same time in one process.

use tokio::sync::oneshot;
use tracing::Instrument;

use super::*;

const OTHER_ROOT: &str = "1-5759e989-aaaaaaaaaaaaaaaaaaaaaaaa";
const OTHER_PARENT: &str = "bbbbbbbbbbbbbbbb";

fn header(root: &str, parent: &str) -> String {
    format!("Root={root};Parent={parent};Sampled=1")
}

/// Two invocations of which the second begins within a step of the first and ends after the first has been sent.
fn interleaved(first_root: &str, second_root: &str) -> (Vec<Value>, Vec<Value>) {
    let traced = Traced::start(&[]);
    let telemetry = &traced.process.telemetry;
    let dispatch = &traced.process.dispatch;
    let (first_goes_on, first_waits) = oneshot::channel::<()>();
    let (second_goes_on, second_waits) = oneshot::channel::<()>();
    let first_context = context_of(Some(&header(first_root, PARENT)));
    let first = telemetry.invocation_of(dispatch, &first_context, async {
        async { first_waits.await.unwrap() }.instrument(crate::step!("first.step")).await;
    });
    let second_context = context_of(Some(&header(second_root, OTHER_PARENT)));
    let second = telemetry.invocation_of(dispatch, &second_context, async {
        crate::step!("second.early").in_scope(|| ());
        first_goes_on.send(()).unwrap();
        async { second_waits.await.unwrap() }.instrument(crate::step!("second.late")).await;
    });
    let mut after_first = Vec::new();
    traced.process.run(async {
        let first_then_sent = async {
            first.await;
            traced.send();
            after_first = traced.documents();
            second_goes_on.send(()).unwrap();
        };
        tokio::join!(first_then_sent, second);
    });
    traced.send();
    (after_first, traced.documents())
}

#[test]
fn invocations_never_mix_and_each_is_sent_when_it_is_over() {
    let (first, second) = interleaved(ROOT, OTHER_ROOT);
    assert_eq!(names(&first), ["## init", "first.step", "## handler"]);
    assert_eq!(names(&second), ["second.early", "second.late", "## handler"]);
    for (documents, root, parent) in [(&first, ROOT, PARENT), (&second, OTHER_ROOT, OTHER_PARENT)] {
        let handler = named(documents, "## handler");
        assert_eq!(handler["parent_id"], parent);
        assert!(documents.iter().all(|document| document["trace_id"] == root), "{documents:#?}");
        for step in documents.iter().filter(|document| !document["name"].as_str().unwrap().starts_with('#')) {
            assert_eq!(step["parent_id"], handler["id"]);
        }
    }
}

#[test]
fn two_invocations_of_one_trace_do_not_mix_either() {
    let (first, second) = interleaved(ROOT, ROOT);
    assert_eq!(names(&first), ["## init", "first.step", "## handler"]);
    assert_eq!(named(&second, "second.late")["parent_id"], named(&second, "## handler")["id"]);
    assert_eq!(named(&second, "## handler")["parent_id"], OTHER_PARENT);
}

#[test]
fn many_threads_lose_nothing() {
    let traced = Traced::start(&[]);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let traced = &traced;
            scope.spawn(move || {
                for count in 0..100 {
                    let root = format!("1-5759e988-{thread:012}{count:012}");
                    traced.invoke(&context_of(Some(&header(&root, PARENT))), async {
                        crate::step!("one").in_scope(|| ());
                        crate::step!("two").in_scope(|| crate::step!("three").in_scope(|| ()));
                    });
                }
            });
        }
    });
    let documents = traced.documents();
    assert_eq!(documents.len(), 800 * 4 + 1);
    let handlers: std::collections::HashMap<_, _> = documents
        .iter()
        .filter(|document| document["name"] == "## handler")
        .map(|document| (document["trace_id"].as_str().unwrap(), &document["id"]))
        .collect();
    assert_eq!(handlers.len(), 800);
    for step in
        documents.iter().filter(|document| ["one", "two"].contains(&document["name"].as_str().unwrap()))
    {
        assert_eq!(&&step["parent_id"], &handlers[step["trace_id"].as_str().unwrap()]);
    }
}

#[test]
fn a_step_that_outlives_its_invocation_is_sent_later() {
    let traced = Traced::start(&[]);
    let mut outliving = None;
    traced.invoke(&context(), async { outliving = Some(crate::step!("outliving")) });
    // Its parent in `tracing` is still open, as a child holds it.
    assert_eq!(names(&traced.documents()), ["## init"]);
    tracing::dispatcher::with_default(&traced.process.dispatch, || drop(outliving));
    traced.send();
    assert_eq!(names(&traced.documents()), ["outliving", "## handler"]);
}
