//! A function that asks the extension in its sandbox for the event's `path`, and answers with what it was told.
//!
//! Invariant: it is a plain `lambda_runtime` function; nothing in it knows the lab.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(ask)).await
}

async fn ask(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let port = std::env::var("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT")?;
    let path = event.payload["path"].as_str().unwrap_or("/");
    let request = http::Request::get(format!("http://localhost:{port}{path}"))
        .header("X-Aws-Parameters-Secrets-Token", std::env::var("AWS_SESSION_TOKEN")?)
        .body(Empty::<Bytes>::new())?;
    let response = Client::builder(TokioExecutor::new()).build_http().request(request).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    Ok(json!({ "status": status, "body": serde_json::from_slice::<Value>(&body)? }))
}
