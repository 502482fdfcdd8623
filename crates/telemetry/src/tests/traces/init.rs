//! INIT's steps under the first sampled invocation.

use std::time::Duration;

use super::*;
use crate::InStep;

const NOT_SAMPLED: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0";

fn seconds(document: &Value, key: &str) -> f64 {
    document[key].as_f64().unwrap()
}

#[test]
fn init_is_shown_once_under_the_first_sampled_invocation() {
    let traced = Traced::start(&[]);
    traced.process.run(async {
        async {
            let _ = async { Err::<(), _>(std::fmt::Error) }.in_step(crate::step!("inner")).await;
            Ok::<_, std::fmt::Error>(())
        }
        .in_step(crate::step!("configure"))
        .await
        .unwrap();
        let _layer = traced.process.telemetry.after_response();
    });
    traced.invoke(&context_of(Some(NOT_SAMPLED)), async {});
    assert_eq!(traced.documents(), Vec::<Value>::new());

    traced.invoke(&context(), async {});
    let documents = traced.documents();
    assert_eq!(names(&documents), ["inner", "configure", "## init", "## handler"]);
    let init = named(&documents, "## init");
    assert_eq!(init["parent_id"], PARENT);
    assert_eq!(named(&documents, "configure")["parent_id"], init["id"]);
    assert_eq!(named(&documents, "inner")["parent_id"], named(&documents, "configure")["id"]);
    assert!(documents.iter().all(|document| document["trace_id"] == ROOT), "{documents:#?}");
    assert_eq!(named(&documents, "inner")["fault"], true);
    assert!(seconds(init, "start_time") <= seconds(named(&documents, "configure"), "start_time"));
    assert!(seconds(named(&documents, "configure"), "end_time") <= seconds(init, "end_time"));

    traced.invoke(&context(), async {});
    assert_eq!(names(&traced.documents()), ["## handler"], "once");
}

#[test]
fn a_sandbox_frozen_after_init_does_not_make_init_longer() {
    let traced = Traced::start(&[]);
    let _layer = traced.process.telemetry.after_response();
    std::thread::sleep(Duration::from_millis(60));
    traced.invoke(&context(), async {});
    let documents = traced.documents();
    let (init, handler) = (named(&documents, "## init"), named(&documents, "## handler"));
    let gap = seconds(handler, "start_time") - seconds(init, "end_time");
    assert!(gap >= 0.059, "{gap}");
    let told_ms = handler["metadata"]["service_undefined"]["init_ms"].as_f64().unwrap();
    let length_ms = (seconds(init, "end_time") - seconds(init, "start_time")) * 1000.0;
    assert!((told_ms - length_ms).abs() < 0.01, "{told_ms} {length_ms}");
}

#[test]
fn without_the_layer_init_ends_with_the_first_invocation() {
    let traced = Traced::start(&[]);
    traced.invoke(&context_of(Some(NOT_SAMPLED)), async {});
    std::thread::sleep(Duration::from_millis(30));
    traced.invoke(&context(), async {});
    let documents = traced.documents();
    let gap = seconds(named(&documents, "## handler"), "start_time")
        - seconds(named(&documents, "## init"), "end_time");
    assert!(gap >= 0.029, "{gap}");
}

#[test]
fn a_step_of_init_that_ends_after_it_still_comes_under_it() {
    let traced = Traced::start(&[]);
    let process = &traced.process;
    let late = tracing::dispatcher::with_default(&process.dispatch, || crate::step!("late"));
    traced.invoke(&context(), async {});
    let init = named(&traced.documents(), "## init")["id"].clone();
    drop(late);
    traced.invoke(&context(), async {});
    let documents = traced.documents();
    let late = named(&documents, "late");
    assert_eq!((&late["parent_id"], &late["trace_id"]), (&init, &ROOT.into()));
}

#[test]
fn where_nothing_is_ever_sampled_init_keeps_a_bounded_number_of_spans() {
    let traced = Traced::start(&[]);
    traced.process.run(async {
        for _ in 0..1000 {
            crate::step!("again").in_scope(|| ());
        }
    });
    for _ in 0..1000 {
        traced.invoke(&context_of(Some(NOT_SAMPLED)), async { crate::step!("s").in_scope(|| ()) });
    }
    assert_eq!(traced.lost(Loss::TooMany), 1000 - 256);
    traced.invoke(&context(), async {});
    assert_eq!(traced.documents().len(), 256 + 2);
}
