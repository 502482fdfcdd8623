//! One document as X-Ray gave it.
//!
//! Apart from the traces because a document's bytes are kept whatever they mean; only four of its keys are looked at.
//! Invariant: the text of a JSON object is kept byte by byte, but for line ends between its tokens, which a file of lines
//! cannot hold and which become spaces.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::traces::records::FUNCTION_ORIGIN;

/// How many bytes of what is no document are kept, as the lab keeps them.
const KEPT_BYTES: usize = 200;

/// A document.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// What it is known by within its trace: the segment's id, or its text where it has none.
    pub(super) key: String,
    /// Its trace, as it says itself.
    pub(super) trace_id: Option<String>,
    pub(super) content: Content,
    /// Whether it has ended: it has an end and is not in progress.
    pub(super) ended: bool,
    /// Whether it is a function's segment.
    pub(super) of_function: bool,
    /// What is wrong with it, a sentence each.
    pub(super) problems: Vec<String>,
}

/// What a document holds.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// A JSON object.
    Object(Box<RawValue>),
    /// Something else; how it begins.
    Broken(String),
}

/// The keys that are looked at, whatever they hold.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Glance {
    id: Value,
    trace_id: Value,
    origin: Value,
    end_time: Value,
    in_progress: Value,
}

impl Document {
    /// The document `text` of the segment with this `id`, as an answer gives them.
    pub(super) fn new(id: Option<&str>, text: &str) -> Self {
        let line = text.trim().replace(['\n', '\r'], " ");
        let object = line.starts_with('{').then(|| RawValue::from_string(line.clone()));
        let content = match object {
            Some(Ok(object)) => Content::Object(object),
            Some(Err(error)) => return Self::broken(id, text, &format!("the document is no JSON: {error}")),
            None => return Self::broken(id, text, "the document is no JSON object"),
        };
        let (glance, problems) = match serde_json::from_str::<Glance>(&line) {
            Ok(glance) => (glance, Vec::new()),
            Err(error) => (Glance::default(), vec![format!("the document cannot be looked into: {error}")]),
        };
        let own_id = glance.id.as_str();
        Self {
            key: id.or(own_id).unwrap_or(&line).to_owned(),
            trace_id: glance.trace_id.as_str().map(str::to_owned),
            content,
            ended: glance.end_time.is_number() && glance.in_progress != Value::Bool(true),
            of_function: glance.origin == FUNCTION_ORIGIN,
            problems,
        }
    }

    /// What stands for a document and is none.
    pub(super) fn broken(id: Option<&str>, text: &str, problem: &str) -> Self {
        let problem = match id {
            Some(id) => format!("segment {id}: {problem}"),
            None => problem.to_owned(),
        };
        Self {
            key: id.unwrap_or(text).to_owned(),
            trace_id: None,
            content: Content::Broken(text[..text.floor_char_boundary(KEPT_BYTES)].to_owned()),
            ended: false,
            of_function: false,
            problems: vec![problem],
        }
    }

    /// Whether it holds the same as `other`.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (&self.content, &other.content) {
            (Content::Object(own), Content::Object(others)) => own.get() == others.get(),
            (Content::Broken(own), Content::Broken(others)) => own == others,
            _ => false,
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        matches!(self.content, Content::Broken(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(document: &Document) -> &str {
        match &document.content {
            Content::Object(object) => object.get(),
            Content::Broken(text) => text,
        }
    }

    #[test]
    fn bytes_are_kept_and_only_line_ends_give_way() {
        // A number that a parser would write otherwise, a key twice, an escape, spaces.
        let written = "{\"id\" : \"0123456789abcdef\",  \"start_time\":1.790E9,\"x\":\"\\u00e9\",\"x\":1}";
        assert_eq!(text(&Document::new(None, written)), written);
        let lines = "{\n  \"id\": \"a\",\r\n  \"end_time\": 2.5\n}\n";
        let document = Document::new(None, lines);
        assert_eq!(text(&document), "{   \"id\": \"a\",    \"end_time\": 2.5 }");
        assert_eq!((document.key.as_str(), document.ended), ("a", true));
    }

    #[test]
    fn a_function_segment_in_progress_has_not_ended() {
        let origin = "\"origin\":\"AWS::Lambda::Function\"";
        for (rest, ended) in [
            ("\"end_time\":1.5", true),
            ("\"in_progress\":true", false),
            ("\"end_time\":1.5,\"in_progress\":true", false),
            ("\"end_time\":\"soon\"", false),
            ("\"end_time\":1.5,\"in_progress\":false", true),
        ] {
            let document = Document::new(Some("s"), &format!("{{{origin},{rest}}}"));
            assert!(document.of_function && document.problems.is_empty());
            assert_eq!(document.ended, ended, "{rest}");
        }
    }

    #[test]
    fn what_is_no_object_keeps_how_it_begins_and_says_so() {
        let long = "\u{e9}".repeat(150);
        for broken in ["", "[1]", "null", "{\"id\":", "{} {}", "not json", &long] {
            let document = Document::new(Some("0123456789abcdef"), broken);
            assert!(document.is_broken() && !document.ended, "{broken}");
            assert!(document.problems[0].starts_with("segment 0123456789abcdef: the document is no JSON"));
            assert!(broken.starts_with(text(&document)) && text(&document).len() <= 200);
        }
    }

    #[test]
    fn a_document_too_deep_for_most_parsers_is_kept() {
        let deep = format!(
            "{{\"id\":\"a\",\"end_time\":1,\"metadata\":{}{}}}",
            "[".repeat(5_000),
            "]".repeat(5_000)
        );
        let document = Document::new(None, &deep);
        assert_eq!((text(&document), document.key.as_str(), document.ended), (deep.as_str(), "a", true));
    }
}
