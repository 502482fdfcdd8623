//! Log lines: keys and their order, levels, third parties, concurrency.

use std::time::SystemTime;

use super::*;

/// Splits a line at its timestamp: what is before, the timestamp itself, what is after.
fn around_timestamp(line: &str) -> (&str, &str, &str) {
    let (before, rest) = line.split_once("\"timestamp\":\"").expect("a timestamp");
    let (timestamp, after) = rest.split_once('"').expect("its end");
    (before, timestamp, after)
}

#[test]
fn a_line_has_powertools_keys_in_powertools_order() {
    let process =
        Process::start(&[("POWERTOOLS_SERVICE_NAME", "greeter"), ("POWERTOOLS_METRICS_DISABLED", "true")]);
    process.invoke(&context(), async {
        tracing::info!(rows = 32, source = "cache", fresh = false, "answered");
    });
    let lines = process.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let (before, _, after) = around_timestamp(&lines[0]);
    assert_eq!(before, r#"{"level":"INFO","message":"answered","#);
    let expected = format!(
        r#","service":"greeter","cold_start":true,"function_arn":"{ARN}","function_memory_size":256,"function_name":"greeting","#
    ) + &format!(
        r#""function_request_id":"{REQUEST_ID}","xray_trace_id":"{ROOT}","rows":32,"source":"cache","fresh":false}}"#
    );
    assert_eq!(after, expected);
}

#[test]
fn the_timestamp_is_now_in_utc_with_milliseconds() {
    let process = Process::start(&[]);
    let before = jiff::Timestamp::try_from(SystemTime::now()).unwrap().as_millisecond();
    process.run(async { tracing::info!("now") });
    let after = jiff::Timestamp::try_from(SystemTime::now()).unwrap().as_millisecond();
    let line = &process.lines()[0];
    let (_, timestamp, _) = around_timestamp(line);
    assert_eq!(timestamp.len(), "2026-01-02T03:04:05.678Z".len(), "{timestamp}");
    assert!(timestamp.ends_with('Z'), "{timestamp}");
    let written = timestamp.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    assert!((before..=after).contains(&written), "{before} {written} {after}");
}

#[test]
fn a_line_outside_an_invocation_has_the_service_only() {
    let process = Process::start(&[("POWERTOOLS_LOGGER_SAMPLE_RATE", "0.5")]);
    process.run(async { tracing::warn!("starting") });
    let line = &process.lines()[0];
    let (before, _, after) = around_timestamp(line);
    assert_eq!(before, r#"{"level":"WARN","message":"starting","#);
    assert_eq!(after, r#","service":"service_undefined","sampling_rate":0.5}"#);
}

#[test]
fn an_untraced_invocation_has_no_trace_id() {
    let process = Process::start(&[]);
    for header in [None, Some(""), Some("Root=;Sampled=0"), Some("Self=1-2-3")] {
        let mut context = context();
        context.xray_trace_id = header.map(str::to_owned);
        assert_eq!(crate::root_trace_id(&context), None, "{header:?}");
        process.invoke(&context, async { tracing::info!("answered") });
    }
    assert!(process.logs().iter().all(|line| line.get("xray_trace_id").is_none()));
    assert_eq!(crate::root_trace_id(&context()), Some(ROOT));
}

#[test]
fn only_the_first_invocation_is_cold() {
    let process = Process::start(&[]);
    for _ in 0..3 {
        process.invoke(&context(), async {
            tracing::info!("one");
            tracing::info!("two");
        });
    }
    let cold: Vec<_> = process.logs().iter().map(|line| line["cold_start"].as_bool().unwrap()).collect();
    assert_eq!(cold, [true, true, false, false, false, false]);
}

#[test]
fn a_provisioned_sandbox_is_never_cold() {
    let process = Process::start(&[("AWS_LAMBDA_INITIALIZATION_TYPE", "provisioned-concurrency")]);
    process.invoke(&context(), async { tracing::info!("answered") });
    assert_eq!(process.logs()[0]["cold_start"], false);
    assert!(process.blobs().is_empty());
}

#[test]
fn concurrent_invocations_keep_their_own_keys_also_in_steps_and_tasks() {
    let process = Process::start(&[]);
    let invocation = |request_id: &'static str| {
        process.telemetry.invocation_of(&process.dispatch, &context_of_request(request_id), async move {
            for round in 0..3 {
                tracing::info!(expected = request_id, round, "in the handler");
                tokio::task::yield_now().await;
            }
            let step = async {
                tokio::task::yield_now().await;
                tracing::info!(expected = request_id, "in a step");
            };
            tracing::Instrument::instrument(step, crate::step!("db.query")).await;
            let task = tracing::Instrument::in_current_span(async move {
                tracing::info!(expected = request_id, "in a task");
            });
            tokio::spawn(task).await.unwrap();
        })
    };
    process.run(async {
        tokio::join!(invocation("first"), invocation("second"));
    });
    let logs = process.logs();
    assert_eq!(logs.len(), 10);
    for line in &logs {
        assert_eq!(line["function_request_id"], line["expected"], "{line}");
    }
    let order: Vec<_> = logs.iter().map(|line| line["expected"].as_str().unwrap()).collect();
    assert_ne!(order[..5], ["first"; 5], "the two invocations did not run at the same time");
}

#[test]
fn the_level_decides_what_is_printed() {
    let all = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"];
    for (name, printed) in [("TRACE", 5), ("DEBUG", 4), ("INFO", 3), ("WARN", 2), ("ERROR", 1), ("SILENT", 0)]
    {
        let process = Process::start(&[("POWERTOOLS_LOG_LEVEL", name)]);
        process.invoke(&context(), async {
            tracing::trace!("trace");
            tracing::debug!("debug");
            tracing::info!("info");
            tracing::warn!("warn");
            tracing::error!("error");
            crate::metric("Asked", crate::Unit::Count, 1.0);
        });
        let levels: Vec<_> =
            process.logs().iter().map(|line| line["level"].as_str().unwrap().to_owned()).collect();
        assert_eq!(levels, all[5 - printed..], "{name}");
        assert_eq!(process.blobs().len(), 2, "the level of the logs does not touch metrics: {name}");
    }
}

#[test]
fn third_parties_speak_from_warn_on_only() {
    let process = Process::start(&[("POWERTOOLS_LOG_LEVEL", "TRACE")]);
    process.invoke(&context(), async {
        tracing::info!(target: "sqlx::query", "chatter");
        tracing::info!(target: "aws_config::profile", "chatter");
        tracing::debug!(target: "hyper_util::client", "chatter");
        tracing::trace!(target: "fred", "chatter");
        tracing::warn!(target: "rustls::check", "kept");
        tracing::info!(target: "awsome::handler", "kept");
        tracing::info!(target: "optimized::cache", "kept");
    });
    let messages: Vec<_> =
        process.logs().iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect();
    assert_eq!(messages, ["kept"; 3]);
}

#[test]
fn fields_keep_their_types_and_never_double_a_key() {
    #[derive(Debug, PartialEq)]
    struct Failure(Option<Box<Failure>>);
    impl std::fmt::Display for Failure {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str(if self.0.is_some() { "no \"answer\"" } else { "no route" })
        }
    }
    impl std::error::Error for Failure {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            self.0.as_deref().map(|cause| cause as _)
        }
    }
    let process = Process::start(&[]);
    let failure = Failure(Some(Box::new(Failure(None))));
    process.invoke(&context(), async {
        let error: &(dyn std::error::Error + 'static) = &failure;
        tracing::error!(error, level = 3, service = "mine", share = 0.5, big = u64::MAX, list = ?["a\n"], r#type = %"t");
    });
    let line = process.logs().remove(0);
    assert_eq!(line["message"], "");
    assert_eq!(
        line["error"],
        serde_json::json!({"message": "no \"answer\"", "cause": {"message": "no route"}})
    );
    assert_eq!((&line["level"], &line["event_level"]), (&"ERROR".into(), &3.into()));
    assert_eq!((&line["service"], &line["event_service"]), (&"service_undefined".into(), &"mine".into()));
    assert_eq!((&line["share"], &line["big"]), (&0.5.into(), &u64::MAX.into()));
    assert_eq!((&line["list"], &line["type"]), (&"[\"a\\n\"]".into(), &"t".into()));
}
