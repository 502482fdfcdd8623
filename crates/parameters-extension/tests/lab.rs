//! The extension's whole way: a function in the lab's sandbox asks it, and it asks the lab's Parameter Store and Secrets Manager,
//! over TLS, signed with the function's own credentials.
#![allow(clippy::unwrap_used)] // A test that cannot go on fails here.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use lambda_lab::control::Counters;
use lambda_lab::experiment::Experiment;
use lambda_lab::lab::{Lab, Options};
use serde_json::{Value, json};

/// The example of this crate, built with its tests.
fn asker() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join("examples/asker");
    assert!(path.is_file(), "{} is not built: run the tests with --examples", path.display());
    path
}

async fn ask(lab: &Lab, path: &str) -> (u64, Value) {
    let front = lab.ready().functions[0].url.rsplit_once('/').unwrap().0.to_owned();
    let request = http::Request::post(format!("{front}/2015-03-31/functions/asker/invocations"));
    let request = request.body(Full::new(Bytes::from(json!({ "path": path }).to_string()))).unwrap();
    let response = Client::builder(TokioExecutor::new()).build_http().request(request).await.unwrap();
    assert!(!response.headers().contains_key("x-amz-function-error"), "{response:?}");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let answer: Value = serde_json::from_slice(&body).unwrap();
    (answer["status"].as_u64().unwrap(), answer["body"].clone())
}

async fn counters(lab: &Lab) -> Counters {
    let request = http::Request::get(format!("{}/counters", lab.ready().control));
    let request = request.header("authorization", format!("Bearer {}", lab.ready().token));
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap();
    serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_gets_secrets_and_parameters_through_the_extension() {
    let extension = env!("CARGO_BIN_EXE_parameters-extension");
    let text = format!(
        "[experiment]\nname = \"asker\"\ndescription = \"asker\"\n\
         [parameters]\n\"/greeting\" = \"hello\"\n\
         [secrets]\n\"stadiums/database\" = '{{\"username\":\"app\"}}'\n\
         [[variant]]\nname = \"asker\"\ncommand = [{:?}]\nmemory_mb = 128\ntimeout_s = 20\n\
         extensions = [{{ command = [{extension:?}] }}]\n",
        asker()
    );
    let experiment = Experiment::parse(&text, Path::new("asker.toml")).unwrap();
    let lab = Lab::start(&experiment, &Options::default()).await.unwrap();

    let (status, secret) = ask(&lab, "/secretsmanager/get?secretId=stadiums%2Fdatabase").await;
    assert_eq!((status, &secret["Name"]), (200, &json!("stadiums/database")), "{secret}");
    assert_eq!(secret["SecretString"], "{\"username\":\"app\"}");
    assert_eq!((&secret["VersionStages"], &secret["ResultMetadata"]), (&json!(["AWSCURRENT"]), &json!({})));
    let arn = secret["ARN"].as_str().unwrap().replace(':', "%3A");
    let (status, by_arn) = ask(&lab, &format!("/secretsmanager/get?secretId={arn}")).await;
    assert_eq!((status, &by_arn["VersionId"]), (200, &secret["VersionId"]));
    let (status, refusal) = ask(&lab, "/secretsmanager/get?secretId=none").await;
    assert_eq!((status, &refusal["__type"]), (400, &json!("ResourceNotFoundException")), "{refusal}");
    let path = "/secretsmanager/get?secretId=stadiums%2Fdatabase&versionStage=AWSPENDING";
    let (status, refusal) = ask(&lab, path).await;
    assert!(
        status == 400 && refusal["Message"].as_str().unwrap().ends_with("label: AWSPENDING"),
        "{refusal}"
    );
    let (status, parameter) = ask(&lab, "/systemsmanager/parameters/get?name=%2Fgreeting").await;
    assert_eq!((status, &parameter["Parameter"]["Value"]), (200, &json!("hello")), "{parameter}");

    // Asked again, it answers from its cache: the service heard the four different questions once each.
    for _ in 0..3 {
        assert_eq!(ask(&lab, "/secretsmanager/get?secretId=stadiums%2Fdatabase").await.1, secret);
    }
    let counters = counters(&lab).await;
    assert_eq!(counters.secrets, [("GetSecretValue".to_owned(), 4)].into());
    assert_eq!(counters.ssm, [("GetParameter".to_owned(), 1)].into());
    lab.stop().await.unwrap();
}
