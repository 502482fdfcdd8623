//! A lab with one probe function, and what its tests ask of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use lambda_lab::control::{Counters, Retired};
use lambda_lab::experiment::Experiment;
use lambda_lab::lab::{Lab, LabError, Options};
use lambda_lab::limits::Wanted;
use lambda_lab::records::{Invocation, TraceDocument, TracesSummary};
use serde_json::Value;

/// A running lab whose only function is the probe.
pub(crate) struct TestLab {
    lab: Lab,
    client: Client<HttpConnector, Empty<Bytes>>,
    pub(crate) dir: tempfile::TempDir,
}

/// An example of this crate, built with its tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    assert!(
        path.is_file(),
        "{} is not built: run the tests without --test or with --examples",
        path.display()
    );
    path
}

impl TestLab {
    /// Starts the probe with `keys` added to its variant.
    pub(crate) async fn start(keys: &str) -> Self {
        Self::try_start(keys).await.unwrap()
    }

    /// The same with other options.
    pub(crate) async fn start_with(keys: &str, options: impl FnOnce(&mut Options)) -> Self {
        Self::try_start_with(keys, options).await.unwrap()
    }

    pub(crate) async fn try_start(keys: &str) -> Result<Self, LabError> {
        Self::try_start_with(keys, |_| ()).await
    }

    /// `LAB_TEST_LIMITS` names the limits' backend to test with; without it the best one that the machine has.
    async fn try_start_with(keys: &str, change: impl FnOnce(&mut Options)) -> Result<Self, LabError> {
        let dir = tempfile::tempdir().unwrap();
        let probe = example("probe");
        let keys = keys.replace("$DIR", &dir.path().display().to_string());
        let text = format!(
            "[experiment]\nname = \"probe\"\ndescription = \"probe\"\n\
             [[variant]]\nname = \"probe\"\ncommand = [{probe:?}]\nmemory_mb = 128\n{keys}\n",
        );
        let experiment = Experiment::parse(&text, &dir.path().join("probe.toml"))?;
        let mut options = Options {
            functions_dir: dir.path().to_owned(),
            records: Some(dir.path().join("invocations.jsonl")),
            logs_dir: Some(dir.path().join("logs")),
            traces: Some(dir.path().join("traces")),
            limits: std::env::var("LAB_TEST_LIMITS")
                .map_or_else(|_| Wanted::Auto, |name| name.parse().unwrap()),
            ..Options::default()
        };
        change(&mut options);
        let lab = Lab::start(&experiment, &options).await?;
        let client = Client::builder(TokioExecutor::new()).build_http();
        Ok(Self { lab, client, dir })
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.send(Request::get(self.url(path))).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.lab.ready().functions[0].url)
    }

    pub(crate) async fn send(&self, request: http::request::Builder) -> (StatusCode, Value) {
        let request = request.body(Empty::new()).unwrap();
        let response = self.client.request(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    fn control(&self, request: http::request::Builder) -> http::request::Builder {
        request.header("authorization", format!("Bearer {}", self.lab.ready().token))
    }

    pub(crate) fn control_url(&self, path: &str) -> String {
        format!("{}{path}", self.lab.ready().control)
    }

    pub(crate) async fn retire(&self) -> usize {
        let request = self.control(Request::post(self.control_url("/retire/probe")));
        let (status, body) = self.send(request).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_value::<Retired>(body).unwrap().sandboxes
    }

    pub(crate) async fn counters(&self) -> Counters {
        let (_, body) = self.send(self.control(Request::get(self.control_url("/counters")))).await;
        serde_json::from_value(body).unwrap()
    }

    /// The records so far, once there are `count` of them: they are written after the answer.
    pub(crate) async fn records(&self, count: usize) -> Vec<Invocation> {
        for _ in 0..200 {
            let text = std::fs::read_to_string(self.dir.path().join("invocations.jsonl")).unwrap_or_default();
            if text.lines().count() >= count {
                return text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("there were no {count} records within 5 s");
    }

    /// The name of the backend that enforces limits.
    pub(crate) fn limits(&self) -> &str {
        &self.lab.ready().limits
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.lab.log_path("probe")).unwrap()
    }

    pub(crate) async fn stop(self) {
        self.lab.stop().await.unwrap();
    }

    /// Stops it; the documents of its traces, and what sums them up.
    pub(crate) async fn stop_with_traces(self) -> (Vec<TraceDocument>, TracesSummary) {
        self.lab.stop().await.unwrap();
        let read = |file: &str| std::fs::read_to_string(self.dir.path().join("traces").join(file)).unwrap();
        let documents = read("documents.jsonl");
        let documents = documents.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (documents, serde_json::from_str(&read("summary.json")).unwrap())
    }
}

/// Whether a process with this id runs (a zombie does not).
pub(crate) fn runs(pid: &Value) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}
