//! Why an invocation or an INIT failed, as a segment's `cause` tells it.
//!
//! Apart from the segments because runtimes tell causes of their own: AWS's post them beside an error as
//! `Lambda-Runtime-Function-XRay-Error-Cause` (seen in `awslambdaric` and in Lambda's interface emulator). Invariant: a cause is
//! valid by our own rules and small, whatever a runtime posted.

use serde_json::{Map, Value, json};

use super::header::{id_text, new_id};
use super::validate;
use crate::sandbox::state::Answer;
use crate::sandbox::{InitFailure, Measured, Outcome};

/// More than any real one. The old style writes it twice, and a document has room for 64 kB.
const MAX_CAUSE_BYTES: usize = 24 * 1024;

/// The most characters of a message that is made here.
const MAX_MESSAGE_CHARS: usize = 2_000;

/// The cause of an invocation's failure; none where it succeeded.
pub(super) fn of_invocation(measured: &Measured) -> Option<Value> {
    match &measured.outcome {
        Outcome::Answered(Answer::Response(_)) => None,
        Outcome::Answered(Answer::Error { error_type, payload }) => {
            let posted = measured.answered.as_ref().and_then(|answered| answered.xray_cause.as_ref());
            let posted = posted.and_then(|posted| told(posted.as_bytes()));
            Some(posted.unwrap_or_else(|| of_payload(error_type, payload)))
        }
        Outcome::TimedOut => {
            let message = format!("Task timed out after {:.2} seconds", measured.duration.as_secs_f64());
            Some(exception("Sandbox.Timedout", &message))
        }
        Outcome::Ended(ended) => Some(exception(&ended.error_type, &ended.message)),
    }
}

/// The cause of an INIT's failure.
pub(super) fn of_init(failure: &InitFailure) -> Value {
    match failure {
        InitFailure::Ended(ended) => exception(&ended.error_type, &ended.message),
        timed_out @ InitFailure::TimedOut { .. } => exception("Sandbox.Timedout", &timed_out.to_string()),
    }
}

/// What the runtime posted, if it is fit.
fn told(posted: &[u8]) -> Option<Value> {
    let cause: Value = (posted.len() <= MAX_CAUSE_BYTES).then(|| serde_json::from_slice(posted).ok())??;
    let mut cause: Map<String, Value> = match cause {
        Value::Object(cause) => cause,
        _ => return None,
    };
    for exception in cause.get_mut("exceptions").and_then(Value::as_array_mut)? {
        // Runtimes leave it to the service.
        exception.as_object_mut()?.entry("id").or_insert_with(|| id_text(new_id()).into());
    }
    let cause = Value::Object(cause);
    validate::cause_problems(&cause).is_empty().then_some(cause)
}

/// Error type and message that the function posted; what it lacks, Lambda's own.
fn of_payload(error_type: &str, payload: &[u8]) -> Value {
    let posted: Value = serde_json::from_slice(payload).unwrap_or_default();
    let field = |name: &str| posted.get(name).and_then(Value::as_str);
    exception(field("errorType").unwrap_or(error_type), field("errorMessage").unwrap_or_default())
}

fn exception(kind: &str, message: &str) -> Value {
    let cut = |text: &str| text.chars().take(MAX_MESSAGE_CHARS).collect::<String>();
    json!({ "exceptions": [{ "id": id_text(new_id()), "type": cut(kind), "message": cut(message) }] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtimes_cause_is_kept_where_it_is_one() {
        let posted = br#"{"working_directory":"/var/task","paths":["app.py"],
            "exceptions":[{"type":"ValueError","message":"no","stack":[{"path":"app.py","line":3,"label":"f"}]}]}"#;
        let cause = told(posted).unwrap();
        assert_eq!(
            (&cause["exceptions"][0]["type"], &cause["paths"][0]),
            (&"ValueError".into(), &"app.py".into())
        );
        assert_eq!(cause["exceptions"][0]["id"].as_str().unwrap().len(), 16);
        let large = format!(r#"{{"exceptions":[],"paths":["{}"]}}"#, "x".repeat(MAX_CAUSE_BYTES));
        for unfit in
            ["", "null", "[]", "{}", r#"{"exceptions":[1]}"#, r#"{"exceptions":[{"type":1}]}"#, &large]
        {
            assert_eq!(told(unfit.as_bytes()), None, "{}", &unfit[..unfit.len().min(60)]);
        }
    }

    #[test]
    fn an_error_payload_is_a_cause_whatever_it_holds() {
        let kind_and_message = |payload: &str| {
            let cause = of_payload("Runtime.Unknown", payload.as_bytes());
            assert_eq!(validate::cause_problems(&cause), [""; 0], "{payload}");
            let exception = &cause["exceptions"][0];
            (
                exception["type"].as_str().unwrap().to_owned(),
                exception["message"].as_str().unwrap().to_owned(),
            )
        };
        let both = kind_and_message(r#"{"errorType":"E","errorMessage":"m"}"#);
        assert_eq!(both, ("E".to_owned(), "m".to_owned()));
        for none in ["", "no json", "[]", r#"{"errorType":1}"#] {
            assert_eq!(kind_and_message(none), ("Runtime.Unknown".to_owned(), String::new()));
        }
    }
}
