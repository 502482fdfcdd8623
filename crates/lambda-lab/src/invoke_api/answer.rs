//! What became of a synchronous invocation, as the Invoke API's answer.
//!
//! Apart because it is a pure mapping. Invariant: whatever the function did, status 200 means that it was invoked, and the header
//! `X-Amz-Function-Error` that it failed.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::refusal::Refusal;
use crate::fleet::Served;
use crate::sandbox::Outcome;
use crate::sandbox::state::{Answer, Ended};

/// The answer to an invocation that was `served`; `log` is the end of its log where the caller asked for it.
///
/// # Errors
/// The refusal of a throttled one.
pub(super) fn response(
    served: Served,
    request_id: &str,
    timeout: Duration,
    log: Option<&[u8]>,
) -> Result<Response<Body>, Refusal> {
    let (payload, failed) = match served {
        Served::Throttled(reason) => return Err(Refusal::throttled(reason)),
        Served::Outcome(Outcome::Answered(Answer::Response(payload))) => (payload, false),
        Served::Outcome(Outcome::Answered(Answer::Error { payload, .. })) => (payload, true),
        Served::Outcome(Outcome::TimedOut) => (timed_out(request_id, timeout), true),
        Served::Outcome(Outcome::Ended(ended)) => (self::ended(request_id, &ended), true),
    };
    let mut response = Response::new(Body::from(payload));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-amz-executed-version", HeaderValue::from_static("$LATEST"));
    if failed {
        headers.insert("x-amz-function-error", HeaderValue::from_static("Unhandled"));
    }
    // Base64 is always a header value.
    if let Some(Ok(log)) = log.map(|log| HeaderValue::from_str(&STANDARD.encode(log))) {
        headers.insert("x-amz-log-result", log);
    }
    Ok(response)
}

fn error(error_type: &str, request_id: &str, message: &str) -> Bytes {
    let message = format!("RequestId: {request_id} Error: {message}");
    json!({ "errorType": error_type, "errorMessage": message }).to_string().into()
}

fn timed_out(request_id: &str, timeout: Duration) -> Bytes {
    let message = format!("Task timed out after {:.2} seconds", timeout.as_secs_f64());
    error("Sandbox.Timedout", request_id, &message)
}

/// An error that the runtime posted during INIT is passed on as it is; everything else is told by the platform.
fn ended(request_id: &str, ended: &Ended) -> Bytes {
    ended.payload.clone().unwrap_or_else(|| error(&ended.error_type, request_id, &ended.message))
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;
    use crate::fleet::ThrottleReason;

    const ID: &str = "8286a188-ba32-4475-8077-530cd35c09a9";

    async fn seen(outcome: Outcome) -> (Option<String>, String) {
        let response = response(Served::Outcome(outcome), ID, Duration::from_secs(3), None).unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["x-amz-executed-version"]),
            (200, &"$LATEST".parse().unwrap())
        );
        let failed =
            response.headers().get("x-amz-function-error").map(|value| value.to_str().unwrap().to_owned());
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (failed, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn outcomes_read_as_lambda_words_them() {
        let unhandled = Some("Unhandled".to_owned());
        assert_eq!(seen(Outcome::Answered(Answer::Response("[1]".into()))).await, (None, "[1]".into()));
        let posted =
            Answer::Error { error_type: "Function.X".into(), payload: "{\"errorType\":\"X\"}".into() };
        assert_eq!(
            seen(Outcome::Answered(posted)).await,
            (unhandled.clone(), "{\"errorType\":\"X\"}".into())
        );
        let timed_out = format!(
            r#"{{"errorMessage":"RequestId: {ID} Error: Task timed out after 3.00 seconds","errorType":"Sandbox.Timedout"}}"#
        );
        assert_eq!(seen(Outcome::TimedOut).await, (unhandled.clone(), timed_out));
        let ended = |message: &str| Outcome::Ended(Ended::new("Runtime.ExitError", message.into()));
        let exit = format!(
            r#"{{"errorMessage":"RequestId: {ID} Error: Runtime exited with error: exit status 1","errorType":"Runtime.ExitError"}}"#
        );
        assert_eq!(seen(ended("Runtime exited with error: exit status 1")).await, (unhandled.clone(), exit));
        let posted =
            r#"{"errorMessage":"no module","errorType":"Runtime.ImportModuleError","stackTrace":[]}"#;
        let in_init =
            Ended { payload: Some(posted.into()), ..Ended::new("Runtime.ImportModuleError", posted.into()) };
        assert_eq!(seen(Outcome::Ended(in_init)).await, (unhandled, posted.into()));
    }

    #[test]
    fn a_throttled_invocation_is_refused_with_its_reason() {
        let refusal = response(Served::Throttled(ThrottleReason::Reserved), ID, Duration::from_secs(3), None)
            .unwrap_err();
        assert_eq!(refusal, Refusal::throttled(ThrottleReason::Reserved));
        assert!(format!("{refusal:?}").contains("ReservedFunctionConcurrentInvocationLimitExceeded"));
    }
}
