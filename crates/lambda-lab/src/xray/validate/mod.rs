//! Whether a segment document is one that X-Ray takes, and if not, what is wrong with it.
//!
//! Apart from the daemon, so that any document can be asked about: the functions' and the lab's own. The rules are those of
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html>. X-Ray itself drops a document that breaks
//! them and tells nobody inside Lambda. Invariant: any JSON gets an answer; each problem is a sentence with the place (a JSON
//! pointer), the value and the rule.

mod blocks;
mod cause;
mod entity;
mod place;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub(super) use cause::cause_problems;
use entity::Kind;
pub(super) use entity::is_of_a_name;
use place::{Place, Problems};

/// The most bytes of a document: "The maximum size of a segment document is 64 kB".
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

/// Who wrote a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// A function, or whoever sends to the daemon.
    Function,
    /// Lambda, whose annotations begin with `aws.`, which nobody else's may.
    Service,
}

/// What is wrong with `document`, which came as `bytes` bytes of JSON; empty where nothing is.
pub fn problems(document: &Value, bytes: usize, author: Author) -> Vec<String> {
    let mut problems = Problems::new(author);
    let root = Place::ROOT;
    if bytes > MAX_DOCUMENT_BYTES {
        let rule = format!(
            "expected at most {MAX_DOCUMENT_BYTES}; send large metadata elsewhere, or subsegments apart"
        );
        problems.say(&root, &format!("has {bytes} bytes"), &rule);
    }
    match document.as_object() {
        None => problems.wrong(&root, document, "expected an object, a segment document"),
        Some(object) => {
            // A segment has no type; a subsegment that is sent alone says what it is.
            let alone = object.contains_key("type");
            let kind = if alone { Kind::SubsegmentAlone } else { Kind::Segment };
            entity::check(&mut problems, &root, object, kind);
        }
    }
    problems.into_sentences()
}
