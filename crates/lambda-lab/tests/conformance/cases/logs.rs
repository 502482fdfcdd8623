//! The log: Lambda's own lines in their order and spelling, the function's between them, and the JSON format
//! (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::case::{Case, case};
use crate::support::function::Function;
use crate::support::lab::Lab;
use crate::support::log::field;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(logs, start_end_and_report_lines_read_as_lambda_prints_them),
        case!(logs, output_of_an_invocation_stands_between_its_start_and_end),
        case!(logs, output_of_init_stands_before_the_first_start),
        case!(logs, partial_line_is_kept),
        case!(logs, ten_megabyte_line_harms_nobody),
        case!(logs, tail_is_the_last_4_kb_of_the_invocation),
        case!(logs, json_format_writes_platform_events_as_objects),
    ]
}

fn one() -> Lab {
    Lab::serve([Function::judge("one").memory(256)])
}

fn start_end_and_report_lines_read_as_lambda_prints_them() {
    let lab = one();
    let ids = [0, 1].map(|_| lab.invoke("one", json!({ "do": "pid" })).header("x-amzn-requestid").to_owned());
    lab.reports(2);
    let log = lab.log();
    let mut lines = log.split_inclusive('\n');
    let first = lines.next().unwrap();
    assert!(first.starts_with("INIT_START Runtime Version: "), "{first:?}");
    for (id, cold) in ids.iter().zip([true, false]) {
        assert_eq!(lines.next().unwrap(), format!("START RequestId: {id} Version: $LATEST\n"));
        assert_eq!(lines.next().unwrap(), format!("END RequestId: {id}\n"));
        let report = lines.next().unwrap();
        let number = |name| field(report, name).unwrap_or_else(|| panic!("no {name} in {report:?}"));
        let mut expected = format!(
            "REPORT RequestId: {id}\tDuration: {:.2} ms\tBilled Duration: {:.0} ms\tMemory Size: 256 MB\t\
             Max Memory Used: {:.0} MB\t",
            number("Duration"),
            number("Billed Duration"),
            number("Max Memory Used"),
        );
        if cold {
            expected += &format!("Init Duration: {:.2} ms\t", number("Init Duration"));
        }
        assert_eq!(report, expected + "\n");
    }
    assert_eq!(lines.next(), None);
    lab.stop();
}

fn lines_of(lab: &Lab, reports: usize) -> Vec<String> {
    lab.reports(reports);
    lab.log().lines().map(str::to_owned).collect()
}

fn place(lines: &[String], wanted: &str) -> usize {
    let found = lines.iter().position(|line| line.starts_with(wanted));
    found.unwrap_or_else(|| panic!("no {wanted:?} in {lines:?}"))
}

fn output_of_an_invocation_stands_between_its_start_and_end() {
    let lab = one();
    for number in 0..20 {
        lab.ask("one", json!({ "do": "say", "text": format!("line {number}\n") }));
    }
    let lines = lines_of(&lab, 20);
    let mut rest = &lines[1..];
    for number in 0..20 {
        assert!(rest[0].starts_with("START ") && rest[2].starts_with("END "), "{rest:?}");
        assert_eq!(rest[1], format!("line {number}"));
        rest = &rest[4..];
    }
    lab.stop();
}

fn output_of_init_stands_before_the_first_start() {
    let lab = Lab::serve([Function::judge("one").init(json!([{ "do": "say", "text": "in INIT\n" }]))]);
    lab.ask("one", json!({ "do": "pid" }));
    let lines = lines_of(&lab, 1);
    let places = ["INIT_START ", "in INIT", "START "].map(|wanted| place(&lines, wanted));
    assert!(places.is_sorted(), "{lines:?}");
    lab.stop();
}

fn partial_line_is_kept() {
    let lab = one();
    lab.ask("one", json!({ "do": "say", "text": "no line feed" }));
    let lines = lines_of(&lab, 1);
    assert!(lines.contains(&"no line feed".to_owned()), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("REPORT ")), "Lambda's lines begin lines: {lines:?}");
    lab.stop();
}

fn ten_megabyte_line_harms_nobody() {
    let lab = one();
    let pid = lab.ask("one", json!({ "do": "pid" }));
    lab.ask("one", json!({ "do": "say", "bytes": 10 << 20 }));
    lab.ask("one", json!({ "do": "say", "text": "\nafter it\n" }));
    assert_eq!(lab.ask("one", json!({ "do": "pid" })), pid, "the sandbox is kept");
    let lines = lines_of(&lab, 4);
    place(&lines, "after it");
    // CloudWatch Logs takes events of at most 1 MB.
    let longest = lines.iter().map(String::len).max().unwrap();
    assert!(longest <= 1 << 20, "a line of {longest} bytes");
    lab.stop();
}

fn tail_is_the_last_4_kb_of_the_invocation() {
    let lab = one();
    let tail = |event: Value| {
        let answer = lab.invoke_with("one", event.to_string().into(), &[("x-amz-log-type", "Tail")]);
        let log = STANDARD.decode(answer.header("x-amz-log-result")).unwrap();
        (answer.header("x-amzn-requestid").to_owned(), String::from_utf8(log).unwrap())
    };
    let (id, short) = tail(json!({ "do": "say", "text": "a line\n" }));
    assert!(short.contains(&format!("START RequestId: {id}")) && short.contains("a line\n"), "{short}");
    assert!(short.contains(&format!("REPORT RequestId: {id}")), "{short}");
    let (id, long) = tail(json!({ "do": "say", "text": "another line\n".repeat(1000) }));
    assert!(long.len() <= 4096 && long.len() > 3000, "{} bytes", long.len());
    assert!(long.contains(&format!("REPORT RequestId: {id}")) && !long.contains("START"), "{long}");
    lab.stop();
}

fn json_format_writes_platform_events_as_objects() {
    let lab = Lab::serve([Function::judge("one").log_format("JSON")]);
    let environment = lab.ask("one", json!({ "do": "environment" }));
    assert_eq!(environment["AWS_LAMBDA_LOG_FORMAT"], "JSON");
    let log = lab.log_with("platform.report");
    let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let types: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let wanted = ["platform.initStart", "platform.start", "platform.report"];
    let places = wanted.map(|wanted| types.iter().position(|of| *of == wanted));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{types:?}");
    let report = &events[places[2].unwrap()]["record"];
    assert!(report["metrics"]["billedDurationMs"].is_u64(), "{report}");
    assert!(!log.contains("REPORT RequestId"), "{log}");
    lab.stop();
}
