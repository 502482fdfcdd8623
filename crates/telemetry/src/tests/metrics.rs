//! EMF blobs: their shape, when they are written, their limits.

use serde_json::json;

use super::*;
use crate::{Unit, metric};

const NAMES: [&str; 101] = {
    // Names must be 'static; slices of one string are as good as a hundred literals.
    const LETTERS: &str = concat!(
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    );
    let mut names = [""; 101];
    let mut index = 0;
    while index < names.len() {
        names[index] = LETTERS.split_at(index + 1).0;
        index += 1;
    }
    names
};

/// The blob with its timestamp checked and taken out.
fn without_timestamp(mut blob: Value) -> Value {
    let now = jiff::Timestamp::now().as_millisecond();
    let timestamp = blob["_aws"].as_object_mut().unwrap().remove("Timestamp").unwrap().as_i64().unwrap();
    assert!((now - 60_000..=now).contains(&timestamp), "{timestamp} is not the last minute, in milliseconds");
    blob
}

#[test]
fn cold_start_is_a_blob_of_its_own_once_a_sandbox() {
    let process = Process::start(&[
        ("POWERTOOLS_SERVICE_NAME", "greeter"),
        ("POWERTOOLS_METRICS_NAMESPACE", "Greetings"),
    ]);
    for _ in 0..3 {
        process.invoke(&context(), async { metric("CacheHit", Unit::Count, 1.0) });
    }
    let blobs: Vec<_> = process.blobs().into_iter().map(without_timestamp).collect();
    assert_eq!(blobs.len(), 4, "ColdStart and one blob an invocation");
    let cold_start = json!({
        "_aws": {"CloudWatchMetrics": [{"Namespace": "Greetings", "Dimensions": [["service", "function_name"]],
            "Metrics": [{"Name": "ColdStart", "Unit": "Count"}]}]},
        "service": "greeter", "function_name": "greeting", "ColdStart": 1,
    });
    assert_eq!(blobs[0], cold_start);
    assert_eq!(blobs.iter().filter(|blob| blob.get("ColdStart").is_some()).count(), 1);
}

#[test]
fn the_dimension_of_cold_start_can_be_named_by_the_environment() {
    let process = Process::start(&[("POWERTOOLS_METRICS_FUNCTION_NAME", "shared-name")]);
    process.invoke(&context(), async {});
    assert_eq!(process.blobs()[0]["function_name"], "shared-name");
}

#[test]
fn metrics_of_one_invocation_join_one_blob() {
    let process = Process::start(&[]);
    process.invoke(&context(), async {});
    process.invoke(&context(), async {
        metric("CacheHit", Unit::Count, 1.0);
        metric("QueryTime", Unit::Milliseconds, 1.5);
        metric("QueryTime", Unit::Milliseconds, 2.0);
        metric("Throughput", Unit::BytesPerSecond, 0.0);
        tracing::info!("before the blob");
    });
    let values = process.values();
    assert_eq!(values[1]["message"], "before the blob", "metrics are written at the end");
    let expected = json!({
        "_aws": {"CloudWatchMetrics": [{"Namespace": "default_namespace", "Dimensions": [["service"]], "Metrics": [
            {"Name": "CacheHit", "Unit": "Count"}, {"Name": "QueryTime", "Unit": "Milliseconds"},
            {"Name": "Throughput", "Unit": "Bytes/Second"}]}]},
        "service": "service_undefined", "CacheHit": 1, "QueryTime": [1.5, 2], "Throughput": 0,
    });
    assert_eq!(values.len(), 3);
    assert_eq!(without_timestamp(values[2].clone()), expected);
}

#[test]
fn concurrent_invocations_count_for_themselves() {
    let process = Process::start(&[]);
    let invocation = |value: f64| {
        process.telemetry.invocation_of(&process.dispatch, &context(), async move {
            metric("Value", Unit::Count, value);
            tokio::task::yield_now().await;
            metric("Value", Unit::Count, value);
        })
    };
    process.run(async {
        tokio::join!(invocation(1.0), invocation(2.0));
    });
    let counted: Vec<_> = process.blobs().iter().filter_map(|blob| blob.get("Value").cloned()).collect();
    assert_eq!(counted.len(), 2);
    // Which of the two ends first is the runtime's choice.
    assert!(counted.contains(&json!([1, 1])) && counted.contains(&json!([2, 2])), "{counted:?}");
}

#[test]
fn a_full_blob_is_written_early_and_nothing_is_lost() {
    let process = Process::start(&[("AWS_LAMBDA_INITIALIZATION_TYPE", "provisioned-concurrency")]);
    process.invoke(&context(), async {
        for name in NAMES {
            metric(name, Unit::Count, 1.0);
        }
    });
    let sizes: Vec<_> = process
        .blobs()
        .iter()
        .map(|blob| blob["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [100, 1]);
}

#[test]
fn a_full_metric_is_written_early_and_nothing_is_lost() {
    let process = Process::start(&[("AWS_LAMBDA_INITIALIZATION_TYPE", "provisioned-concurrency")]);
    process.invoke(&context(), async {
        for value in 0..201 {
            metric("Value", Unit::Count, f64::from(value));
        }
    });
    let blobs = process.blobs();
    assert_eq!(blobs.len(), 3);
    assert_eq!(blobs[0]["Value"].as_array().unwrap().len(), 100);
    assert_eq!(blobs[1]["Value"][0], 100);
    assert_eq!(blobs[2]["Value"], 200);
}

#[test]
fn metrics_are_written_when_the_handler_is_dropped_or_panics() {
    let process = Process::start(&[("AWS_LAMBDA_INITIALIZATION_TYPE", "provisioned-concurrency")]);
    process.run(async {
        let never_ends = async {
            metric("Dropped", Unit::Count, 1.0);
            std::future::pending::<()>().await;
        };
        let mut invocation = Box::pin(process.telemetry.invocation(&context(), never_ends));
        std::future::poll_fn(|task| {
            assert!(invocation.as_mut().poll(task).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        assert!(process.lines().is_empty(), "nothing is written while the invocation runs");
        drop(invocation);
        assert_eq!(process.blobs().len(), 1);

        let panics = process.telemetry.invocation(&context(), async {
            metric("Panicked", Unit::Count, 1.0);
            panic!("as a handler may");
        });
        assert!(tokio::spawn(panics).await.is_err());
    });
    let blobs = process.blobs();
    assert_eq!((&blobs[0]["Dropped"], &blobs[1]["Panicked"]), (&1.into(), &1.into()));
}

#[test]
fn what_a_task_counts_after_its_invocation_is_written_when_the_task_ends() {
    let process = Process::start(&[("AWS_LAMBDA_INITIALIZATION_TYPE", "provisioned-concurrency")]);
    process.run(async {
        let (release, released) = tokio::sync::oneshot::channel::<()>();
        let (send_task, task) = tokio::sync::oneshot::channel();
        let handler = async {
            let late = tracing::Instrument::in_current_span(async {
                released.await.unwrap();
                metric("Late", Unit::Count, 1.0);
            });
            assert!(send_task.send(tokio::spawn(late)).is_ok());
            metric("InTime", Unit::Count, 1.0);
        };
        process.telemetry.invocation(&context(), handler).await;
        assert_eq!(process.blobs().len(), 1, "what the handler counted does not wait for the task");
        release.send(()).unwrap();
        task.await.unwrap().await.unwrap();
    });
    let blobs = process.blobs();
    assert_eq!((&blobs[0]["InTime"], &blobs[1]["Late"]), (&1.into(), &1.into()));
}

#[test]
fn what_cloudwatch_cannot_take_is_dropped_with_a_warning() {
    let process = Process::start(&[("AWS_LAMBDA_INITIALIZATION_TYPE", "provisioned-concurrency")]);
    let too_long: &'static str = Box::leak("x".repeat(256).into_boxed_str());
    process.invoke(&context(), async {
        metric("", Unit::Count, 1.0);
        metric(too_long, Unit::Count, 1.0);
        metric("service", Unit::Count, 1.0);
        metric("_aws", Unit::Count, 1.0);
        metric("NoNumber", Unit::Count, f64::NAN);
        metric("Time", Unit::Seconds, 1.0);
        metric("Time", Unit::Milliseconds, 1.0);
    });
    let logs = process.logs();
    assert_eq!(logs.len(), 6);
    assert!(logs.iter().all(|line| line["level"] == "WARN" && line["function_request_id"] == REQUEST_ID));
    let blobs = process.blobs();
    assert_eq!((blobs.len(), &blobs[0]["Time"]), (1, &1.into()));
    assert_eq!(blobs[0]["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap().len(), 1);
}

#[test]
fn outside_an_invocation_nothing_is_counted_but_a_debug_line_says_so() {
    let process = Process::start(&[("POWERTOOLS_LOG_LEVEL", "DEBUG")]);
    process.run(async { metric("Lost", Unit::Count, 1.0) });
    assert!(process.blobs().is_empty());
    let line = process.logs().remove(0);
    assert_eq!((&line["level"], &line["metric"]), (&"DEBUG".into(), &"Lost".into()));
}

#[test]
fn disabled_metrics_write_nothing() {
    let process = Process::start(&[("POWERTOOLS_METRICS_DISABLED", "true")]);
    process.invoke(&context(), async { metric("CacheHit", Unit::Count, 1.0) });
    assert!(process.lines().is_empty(), "{:?}", process.lines());
}
