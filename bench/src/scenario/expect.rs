//! What an answer must be to be no error.
//!
//! Apart from the client because it judges an answer that is already there. Invariant: the judgement is that of Artillery's plugin
//! `expect` (artillery-plugin-expect, lib/expectations.js): `json` means a type of JSON and a body that is an object or an array.

use http::{HeaderMap, StatusCode, header};

/// `error` of a 2xx answer with a status that is not among those expected.
const STATUS: &str = "expect_status";
/// `error` of an answer whose type is not the one expected.
const CONTENT_TYPE: &str = "expect_content_type";

/// The types that `contentType: json` stands for.
const JSON_TYPES: [&str; 3] = ["application/json", "application/problem+json", "application/ld+json"];

/// The expectations of a scenario; by default a 2xx status is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expect {
    /// `statusCode`: any of these; empty where nothing is said.
    pub statuses: Vec<u16>,
    /// `contentType`: `json`, or the whole header.
    pub content_type: Option<String>,
}

impl Expect {
    /// Why the answer is an error: `http_<status>` for one that is neither expected nor 2xx, `expect_status`, `expect_content_type`.
    pub fn failure(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Option<String> {
        let expected = self.statuses.contains(&status.as_u16());
        if !expected && !status.is_success() {
            return Some(format!("http_{}", status.as_u16()));
        }
        if !expected && !self.statuses.is_empty() {
            return Some(STATUS.to_owned());
        }
        let content_type = self.content_type.as_deref()?;
        let found =
            headers.get(header::CONTENT_TYPE).and_then(|found| found.to_str().ok()).unwrap_or_default();
        let met = match content_type {
            "json" => JSON_TYPES.iter().any(|json| found.contains(json)) && is_structure(body),
            other => found.eq_ignore_ascii_case(other),
        };
        (!met).then(|| CONTENT_TYPE.to_owned())
    }
}

/// Whether `body` is a whole JSON object or array.
fn is_structure(body: &[u8]) -> bool {
    let opens = body.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(opens, Some(b'{' | b'[')) && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(expect: &Expect, status: u16, content_type: &str, body: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        }
        expect.failure(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
    }

    #[test]
    fn without_expectations_a_2xx_is_an_answer_and_nothing_else_is() {
        let expect = Expect::default();
        assert_eq!(failure(&expect, 204, "", ""), None);
        assert_eq!(failure(&expect, 503, "", "").as_deref(), Some("http_503"));
    }

    #[test]
    fn the_status_must_be_one_of_those_expected() {
        let expect = Expect { statuses: vec![200, 404], content_type: None };
        assert_eq!(failure(&expect, 200, "", ""), None);
        assert_eq!(failure(&expect, 404, "", ""), None, "an expected 404 is an answer");
        assert_eq!(failure(&expect, 201, "", "").as_deref(), Some(STATUS));
        assert_eq!(failure(&expect, 500, "", "").as_deref(), Some("http_500"));
    }

    #[test]
    fn json_is_a_type_and_a_body_that_is_an_object_or_an_array() {
        let expect = Expect { statuses: vec![], content_type: Some("json".to_owned()) };
        assert_eq!(failure(&expect, 200, "application/json; charset=utf-8", " [1]"), None);
        assert_eq!(failure(&expect, 200, "application/problem+json", "{}"), None);
        for (content_type, body) in [
            ("text/html", "[1]"),
            ("", "[1]"),
            ("application/json", "[1"),
            ("application/json", "1"),
            ("application/json", ""),
        ] {
            let failed = failure(&expect, 200, content_type, body);
            assert_eq!(failed.as_deref(), Some(CONTENT_TYPE), "{content_type} {body}");
        }
    }

    #[test]
    fn another_type_is_the_whole_header_whatever_its_case() {
        let expect = Expect { statuses: vec![], content_type: Some("Text/HTML".to_owned()) };
        assert_eq!(failure(&expect, 200, "text/html", ""), None);
        assert_eq!(failure(&expect, 200, "text/html; charset=utf-8", "").as_deref(), Some(CONTENT_TYPE));
    }
}
