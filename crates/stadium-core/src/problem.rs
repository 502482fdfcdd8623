//! How a failure looks to the client: [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem details.
//!
//! Apart from the errors themselves because those belong in the log. Invariant: a problem has no place for a
//! cause; the trace id is what leads from it to the log.

use serde_json::json;

use crate::Answer;

/// The problem's members; `about:blank` means that the title says no more than the status does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The member `type`: `about:blank`.
    pub type_: &'static str,
    /// The status in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The extension member `traceId`: the invocation's X-Ray trace, if it has one.
    pub trace_id: Option<String>,
}

impl Problem {
    /// 503: a dependency failed, so the same request may succeed later.
    pub fn unavailable(trace_id: Option<&str>) -> Self {
        Self::new(503, "Service Unavailable", trace_id)
    }

    /// 500: the function itself is at fault, so trying again will not help.
    pub fn internal(trace_id: Option<&str>) -> Self {
        Self::new(500, "Internal Server Error", trace_id)
    }

    fn new(status: u16, title: &'static str, trace_id: Option<&str>) -> Self {
        Self { type_: "about:blank", title, status, trace_id: trace_id.map(str::to_owned) }
    }

    /// The answer that carries this problem, as `application/problem+json`.
    pub fn into_answer(self) -> Answer {
        let mut members = json!({ "type": self.type_, "title": self.title, "status": self.status });
        if let Some(trace_id) = self.trace_id {
            members["traceId"] = trace_id.into();
        }
        Answer::new(self.status, "application/problem+json", members.to_string())
    }
}
