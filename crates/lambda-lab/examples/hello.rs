//! The smallest function there is, to see what is around it: it answers at once, or after `?sleep_ms=` milliseconds.
//!
//! Invariant: it is a plain `lambda_runtime` function; nothing in it knows the lab.

use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(hello)).await
}

async fn hello(event: LambdaEvent<Value>) -> Result<Value, Error> {
    if let Some(ms) = event.payload["queryStringParameters"]["sleep_ms"].as_str() {
        tokio::time::sleep(Duration::from_millis(ms.parse()?)).await;
    }
    Ok(json!({ "statusCode": 200, "headers": { "content-type": "text/plain" }, "body": "hello" }))
}
