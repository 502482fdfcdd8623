//! What a function returns to an HTTP API.
//!
//! Apart from [`Problem`](crate::Problem) because it is Lambda's shape, not ours: payload format 2.0.
//! Invariant: an answer always names its content type.

use std::collections::BTreeMap;

use serde::Serialize;

/// The response object of the HTTP API's payload format 2.0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The HTTP status.
    pub status_code: u16,
    /// Header values by lower-case name.
    pub headers: BTreeMap<&'static str, String>,
    /// `Set-Cookie` values; none, but some readers of the format want the member.
    pub cookies: Vec<String>,
    /// The body, as text or, if [`is_base64_encoded`](Self::is_base64_encoded), as Base64.
    pub body: String,
    /// Whether the API has to decode the body from Base64 before it sends it; the constructors here never ask
    /// for that.
    pub is_base64_encoded: bool,
}

impl Answer {
    /// 200 with a `body` that is JSON already.
    pub fn json(body: String) -> Self {
        Self::new(200, "application/json", body)
    }

    pub(crate) fn new(status_code: u16, content_type: &str, body: String) -> Self {
        let headers = BTreeMap::from([("content-type", content_type.to_owned())]);
        Self { status_code, headers, cookies: Vec::new(), body, is_base64_encoded: false }
    }
}
