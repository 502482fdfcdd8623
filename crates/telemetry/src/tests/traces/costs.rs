//! What is not sampled makes no span.

use super::*;

/// Whether a step would be recorded here.
fn is_recorded() -> bool {
    !crate::step!("probe").is_disabled()
}

#[test]
fn only_a_sampled_invocation_and_init_record_steps() {
    let traced = Traced::start(&[]);
    traced.process.run(async { assert!(is_recorded(), "INIT") });
    let headers = [
        None,
        Some(""),
        Some("garbage"),
        Some("Root=1-5759e988-bd862e3fe1be46a994272793"),
        Some("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"),
        Some("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=?"),
        Some("Root=1-5759e988-bd862e3fe1be46a99427279;Parent=53995c3f42cd8ad8;Sampled=1"),
    ];
    for header in headers {
        traced.invoke(&context_of(header), async {
            assert!(!is_recorded(), "{header:?}");
            tracing::error!("logged all the same");
        });
    }
    assert_eq!(traced.documents(), Vec::<Value>::new());
    assert!(traced.memory.spans.lock().unwrap().is_empty(), "not even OpenTelemetry has a span");
    assert_eq!(traced.process.logs().len(), headers.len());
    traced.process.run(async { assert!(!is_recorded(), "between invocations") });
    traced.invoke(&context(), async { assert!(is_recorded()) });
    assert_eq!(names(&traced.documents()), ["probe", "## init", "probe", "## handler"]);
}

#[test]
fn without_a_destination_nothing_is_recorded_and_nothing_said() {
    for off in [&[][..], &[("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:1"), ("POWERTOOLS_TRACE_ENABLED", "false")]]
    {
        let process = Process::start(off);
        process.run(async { assert!(!is_recorded()) });
        process.invoke(&context(), async { assert!(!is_recorded()) });
        process.send_traces();
        assert!(process.logs().is_empty(), "{:?}", process.logs());
    }
}

#[test]
fn spans_of_other_crates_are_none_of_ours() {
    let traced = Traced::start(&[]);
    traced.invoke(&context(), async {
        let foreign = tracing::error_span!(target: "sqlx::query", "foreign");
        assert!(foreign.is_disabled());
        foreign.in_scope(|| crate::step!("s").in_scope(|| ()));
    });
    assert_eq!(names(&traced.documents()), ["## init", "s", "## handler"]);
}
