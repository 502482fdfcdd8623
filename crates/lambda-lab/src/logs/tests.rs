//! A sandbox's log with real processes and real pipes, in both formats.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;

struct Case {
    log: std::sync::Arc<SandboxLog>,
    path: PathBuf,
    _dir: tempfile::TempDir,
}

fn case(settings: LogSettings) -> Case {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hello.log");
    let log = FunctionLog::open("hello", &path, settings).unwrap();
    let log = SandboxLog::new(log, SandboxFacts::new("hello", "s", 128, "us-east-1"));
    Case { log, path, _dir: dir }
}

fn json(application_level: ApplicationLevel, system_level: SystemLevel) -> LogSettings {
    LogSettings { format: LogFormat::Json, application_level, system_level }
}

impl Case {
    fn text(&self) -> String {
        std::fs::read_to_string(&self.path).unwrap()
    }

    fn spawn(&self, source: Source, script: &str) -> std::process::Child {
        let (stdout, stderr) = self.log.output(source).unwrap();
        Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap()
    }

    /// Runs `script` to its end; its output is in the pipe then, and nobody has read it.
    fn run(&self, source: Source, script: &str) {
        assert!(self.spawn(source, script).wait().unwrap().success());
    }

    async fn wait_for(&self, text: &str) {
        let found = async {
            while !self.text().contains(text) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let found = tokio::time::timeout(Duration::from_secs(30), found).await;
        assert!(found.is_ok(), "no {text:?} in {:?}", self.text());
    }
}

fn start() -> PlatformEvent {
    PlatformEvent::Start { request_id: "one".into(), trace_header: String::new() }
}

fn report(status: EventStatus) -> PlatformEvent {
    PlatformEvent::Report(Box::new(Report {
        request_id: "one".into(),
        trace_header: String::new(),
        status,
        error_type: None,
        duration: Duration::from_micros(11_642),
        billed_ms: 12,
        memory_mb: 128,
        max_memory_mb: Some(66.5),
        init_duration: None,
        xray: None,
    }))
}

// One thread, and no await between: the reading task cannot have run.
#[tokio::test]
async fn what_was_printed_stands_before_end_in_the_order_it_was_written() {
    let case = case(LogSettings::default());
    case.log.emit(start());
    case.run(Source::Function, "echo one; echo two >&2; echo three; printf 'no end'");
    case.log.drain();
    case.log.emit(report(EventStatus::Success));
    let expected =
        "START RequestId: one Version: $LATEST\none\ntwo\nthree\nno end\nEND RequestId: one\nREPORT";
    assert!(case.text().starts_with(expected), "{}", case.text());
}

#[tokio::test]
async fn output_is_read_while_a_process_runs_and_to_its_end() {
    let case = case(LogSettings::default());
    let mut child = case.spawn(Source::Function, "seq 1 100000; printf 'last words'");
    let waited = tokio::task::spawn_blocking(move || child.wait());
    assert!(waited.await.unwrap().unwrap().success());
    case.wait_for("last words\n").await;
    let text = case.text();
    let numbers = text.lines().filter_map(|line| line.parse::<u32>().ok());
    assert!(numbers.eq(1..=100_000));
}

#[tokio::test]
async fn bytes_that_are_not_text_are_logged_as_they_are() {
    let case = case(LogSettings::default());
    case.run(Source::Function, r"printf '\377\000\n'");
    case.log.drain();
    assert_eq!(std::fs::read(&case.path).unwrap(), b"\xff\0\n");
}

#[tokio::test]
async fn the_tail_is_that_of_one_invocation() {
    let case = case(LogSettings::default());
    case.run(Source::Function, "echo before");
    case.log.drain();
    case.log.begin_tail();
    case.log.emit(start());
    case.run(Source::Function, "echo within");
    case.log.drain();
    case.log.emit(report(EventStatus::Success));
    let tail = String::from_utf8(case.log.tail()).unwrap();
    let expected =
        "START RequestId: one Version: $LATEST\nwithin\nEND RequestId: one\nREPORT RequestId: one\t";
    assert!(tail.starts_with(expected), "{tail}");
    assert!(tail.ends_with("\t\n"), "{tail}");
}

#[tokio::test]
async fn a_json_log_keeps_lines_of_the_level_and_above() {
    let case = case(json(ApplicationLevel::Warn, SystemLevel::Info));
    let script = r#"
        echo '{"level":"info","timestamp":"2026-01-01T00:00:00Z","message":"a"}'
        echo '{"level":"warn","timestamp":"2026-01-01T00:00:00Z","message":"b"}'
        echo 'plain words count as INFO'
        echo '{"level":"ERROR","timestamp":"2026-01-01T00:00:00Z","message":"c"}'"#;
    case.run(Source::Function, script);
    case.run(Source::Extension("x".into()), "echo 'an extension has no level'");
    case.log.drain();
    let expected = "{\"level\":\"warn\",\"timestamp\":\"2026-01-01T00:00:00Z\",\"message\":\"b\"}\n\
                    {\"level\":\"ERROR\",\"timestamp\":\"2026-01-01T00:00:00Z\",\"message\":\"c\"}\n\
                    an extension has no level\n";
    assert_eq!(case.text(), expected);
}

/// Everything that a cold invocation that succeeds and one that fails emit.
fn emit_all(log: &SandboxLog) {
    let (initialization, phase) = (Initialization::OnDemand, Phase::Init);
    let runtime_done = |status| PlatformEvent::RuntimeDone {
        request_id: "one".into(),
        trace_header: String::new(),
        status,
        error_type: None,
        duration: Duration::from_micros(11_185),
        response_latency: None,
        response_duration: None,
        produced_bytes: None,
    };
    let (status, error_type) = (EventStatus::Success, None);
    log.emit(PlatformEvent::InitStart { initialization, phase });
    log.emit(PlatformEvent::InitRuntimeDone {
        initialization,
        phase,
        status,
        error_type: error_type.clone(),
    });
    let duration = Duration::from_micros(173_778);
    log.emit(PlatformEvent::InitReport { initialization, phase, status, error_type, duration });
    for status in [EventStatus::Success, EventStatus::Error] {
        log.emit(start());
        log.emit(runtime_done(status));
        log.emit(report(status));
    }
}

#[test]
fn a_json_log_has_the_platforms_events_that_aws_maps_to_its_system_level() {
    let types = |level| {
        let case = case(json(ApplicationLevel::Info, level));
        emit_all(&case.log);
        let text = case.text();
        let parsed = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        parsed
            .map(|event| event["type"].as_str().unwrap()["platform.".len()..].to_owned())
            .collect::<Vec<_>>()
    };
    let all = [
        "initStart",
        "initRuntimeDone",
        "initReport",
        "start",
        "runtimeDone",
        "report",
        "start",
        "runtimeDone",
        "report",
    ];
    assert_eq!(types(SystemLevel::Debug), all);
    assert_eq!(types(SystemLevel::Info), ["initStart", "start", "report", "start", "runtimeDone", "report"]);
    assert_eq!(types(SystemLevel::Warn), ["runtimeDone", "report"]);
}

#[test]
fn the_format_and_its_variables_are_spelt_as_aws_spells_them() {
    assert_eq!(serde_json::from_str::<LogFormat>("\"JSON\"").unwrap(), LogFormat::Json);
    let wrong = serde_json::from_str::<LogFormat>("\"json\"").unwrap_err().to_string();
    assert!(wrong.contains("unknown variant `json`, expected `Text` or `JSON`"), "{wrong}");
    assert_eq!(LogSettings::default().variables(), []);
    let variables = json(ApplicationLevel::Debug, SystemLevel::Info).variables();
    assert_eq!(variables, [("AWS_LAMBDA_LOG_FORMAT", "JSON"), ("AWS_LAMBDA_LOG_LEVEL", "DEBUG")]);
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error() {
    let path = PathBuf::from("/nonexistent/hello.log");
    assert!(FunctionLog::open("hello", &path, LogSettings::default()).is_err());
}
