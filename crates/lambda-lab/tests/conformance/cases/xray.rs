//! X-Ray: a tracer that is not ours, AWS's own for Python, sends to the lab's daemon
//! (<https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html>).

use serde_json::{Value, json};

use crate::case::Need::Python;
use crate::case::{Case, case};
use crate::support::function::Function;
use crate::support::lab::{Lab, in_dir};
use crate::support::notes::Notes;
use crate::support::world::{client, own};

pub(super) fn cases() -> Vec<Case> {
    const NEEDS: &[crate::case::Need] = &[Python("awslambdaric"), Python("aws_xray_sdk")];
    vec![
        case!(xray, python_sdk_sends_subsegments_that_join_the_trace).needs(NEEDS),
        case!(xray, python_sdk_tells_the_error_and_the_runtime_its_cause).needs(NEEDS),
        case!(xray, opentelemetrys_spans_join_the_trace)
            .needs(&[Python("awslambdaric"), Python("opentelemetry.exporter.otlp.proto.common")]),
        case!(xray, python_sdk_sends_nothing_of_what_is_not_sampled).needs(NEEDS),
    ]
}

/// A lab whose function is traced by the SDK, and its documents once it has ended.
struct Traced {
    lab: Lab,
    documents: Notes,
}

impl Traced {
    fn serve(sampling: &str, module: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let traces = in_dir(dir.path(), "traces");
        let documents = Notes(dir.path().join("traces/documents.jsonl"));
        let program = client("venv/bin/python");
        let line = format!("{} -B -m awslambdaric {module}.handler", program.display());
        let function = Function::line("one", line)
            .file(own(&format!("clients/{module}.py")))
            .tracing("Active")
            .memory(512)
            .timeout(10);
        let lab = Lab::serve_in(dir, [function], &["--sampling", sampling, "--traces", &traces]);
        Self { lab, documents }
    }

    /// All documents, none of which may have problems.
    fn end(mut self) -> Vec<Value> {
        assert!(self.lab.end().success());
        let documents = self.documents.all();
        for line in &documents {
            assert!(line.get("problems").is_none(), "{line}");
        }
        assert!(!self.lab.stderr().contains("parents that trace documents name"), "{}", self.lab.stderr());
        documents.into_iter().map(|mut line| line["document"].take()).collect()
    }
}

fn of<'a>(documents: &'a [Value], key: &str, value: &str) -> Vec<&'a Value> {
    documents.iter().filter(|document| document[key] == value).collect()
}

fn python_sdk_sends_subsegments_that_join_the_trace() {
    let traced = Traced::serve("all", "traced");
    for _ in 0..3 {
        traced.lab.ask("one", json!({}));
    }
    traced.lab.reports(3);
    let documents = traced.end();
    let handlers = of(&documents, "name", "## handler");
    let functions = of(&documents, "origin", "AWS::Lambda::Function");
    assert_eq!((handlers.len(), functions.len(), of(&documents, "origin", "AWS::Lambda").len()), (3, 3, 3));
    for handler in handlers {
        let parents = functions.iter().filter(|function| function["id"] == handler["parent_id"]);
        let [function] = parents.collect::<Vec<_>>()[..] else { panic!("{handler} has no parent") };
        assert_eq!(function["trace_id"], handler["trace_id"]);
        assert!(function["start_time"].as_f64() <= handler["start_time"].as_f64(), "{function} {handler}");
        assert!(function["end_time"].as_f64() >= handler["end_time"].as_f64(), "{function} {handler}");
        assert_eq!(handler["annotations"]["ColdStart"], true);
        let queries = of(&documents, "name", "db@host");
        let query = queries.iter().find(|query| query["parent_id"] == handler["id"]).unwrap();
        assert_eq!(
            (&query["namespace"], &query["sql"]["sanitized_query"]),
            (&json!("remote"), &json!("SELECT 1"))
        );
    }
}

fn python_sdk_tells_the_error_and_the_runtime_its_cause() {
    let traced = Traced::serve("all", "traced");
    traced.lab.invoke("one", json!({ "fail": true }));
    traced.lab.reports(1);
    let documents = traced.end();
    let exception = |document: &Value| {
        assert_eq!(document["fault"], true, "{document}");
        let exception = &document["cause"]["exceptions"][0];
        (exception["type"].clone(), exception["message"].clone(), exception["stack"][0]["path"].is_string())
    };
    let expected = (json!("ValueError"), json!("as asked"), true);
    assert_eq!(exception(of(&documents, "name", "## handler")[0]), expected);
    assert_eq!(
        exception(of(&documents, "origin", "AWS::Lambda::Function")[0]),
        expected,
        "with the runtime's stack"
    );
}

fn python_sdk_sends_nothing_of_what_is_not_sampled() {
    let traced = Traced::serve("none", "traced");
    traced.lab.ask("one", json!({}));
    traced.lab.reports(1);
    assert_eq!(traced.end(), [Value::Null; 0]);
}

fn opentelemetrys_spans_join_the_trace() {
    let traced = Traced::serve("all", "spans");
    for _ in 0..2 {
        traced.lab.ask("one", json!({}));
    }
    traced.lab.reports(2);
    let documents = traced.end();
    let handlers = of(&documents, "name", "## handler");
    assert_eq!(handlers.len(), 2, "{documents:?}");
    for handler in handlers {
        let function = of(&documents, "id", handler["parent_id"].as_str().unwrap())[0];
        assert_eq!(
            (&function["origin"], &function["trace_id"]),
            (&json!("AWS::Lambda::Function"), &handler["trace_id"])
        );
        assert_eq!(handler["annotations"], json!({ "ColdStart": true }));
        let query = of(&documents, "parent_id", handler["id"].as_str().unwrap())[0];
        assert_eq!((&query["name"], &query["namespace"]), (&json!("db.query"), &json!("remote")));
        assert_eq!(query["sql"], json!({ "database_type": "postgresql", "sanitized_query": "SELECT 1" }));
        assert!(query["end_time"].as_f64() <= function["end_time"].as_f64(), "{query} {function}");
    }
}
