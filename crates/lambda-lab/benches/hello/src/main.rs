//! The smallest function there is, to see what is around it: it answers at once, or after `?sleep_ms=` milliseconds.
//!
//! A package of its own, outside the workspace, because `cargo lambda watch` serves packages, and a small one fastest. Invariant: it
//! is a plain `lambda_runtime` function; nothing in it knows who runs it.

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
    // Every member, because `cargo lambda watch` takes no less, though Lambda does.
    let headers = json!({ "content-type": "text/plain" });
    Ok(json!({ "statusCode": 200, "headers": headers, "cookies": [], "body": "hello", "isBase64Encoded": false }))
}
