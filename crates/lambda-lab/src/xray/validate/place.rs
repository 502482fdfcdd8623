//! Where in a document something is wrong, and the list of what is.
//!
//! Apart from the rules, which only name both. Invariant: what is right costs no allocation, and a document with thousands of
//! problems makes no thousands of sentences.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Author;

/// How many problems of one document are told.
const MAX_TOLD: usize = 20;

/// The most characters of a value that a sentence quotes.
const MAX_QUOTED: usize = 80;

/// A place in a document, as a list from inside out.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    outer: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    pub(super) const ROOT: Self = Self { outer: None, step: Step::Root };

    pub(super) fn key(&'a self, key: &'a str) -> Self {
        Self { outer: Some(self), step: Step::Key(key) }
    }

    pub(super) fn index(&'a self, index: usize) -> Self {
        Self { outer: Some(self), step: Step::Index(index) }
    }

    /// As a JSON pointer (RFC 6901).
    fn pointer(&self) -> String {
        let mut pointer = self.outer.map(Place::pointer).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Key(key) => {
                pointer.push('/');
                pointer.push_str(&cut(key).replace('~', "~0").replace('/', "~1"));
            }
            Step::Index(index) => {
                pointer.push('/');
                pointer.push_str(&index.to_string());
            }
        }
        pointer
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}

/// What is wrong with one document.
pub(super) struct Problems {
    pub(super) author: Author,
    told: Vec<String>,
    untold: usize,
    /// The ids seen so far.
    ids: BTreeSet<String>,
}

impl Problems {
    pub(super) fn new(author: Author) -> Self {
        Self { author, told: Vec::new(), untold: 0, ids: BTreeSet::new() }
    }

    /// `<place> <fact>: <rule>`.
    pub(super) fn say(&mut self, place: &Place<'_>, fact: &str, rule: &str) {
        if self.told.len() == MAX_TOLD {
            self.untold += 1;
            return;
        }
        let pointer = place.pointer();
        let place = if pointer.is_empty() { "the document" } else { &pointer };
        self.told.push(format!("{place} {fact}: {rule}"));
    }

    /// The value at `place` is not what it should be.
    pub(super) fn wrong(&mut self, place: &Place<'_>, value: &Value, rule: &str) {
        // Serialising all of a large value to quote its beginning would be waste.
        let quoted = match value {
            Value::Array(items) => format!("an array of {}", items.len()),
            Value::Object(object) => format!("an object with {} keys", object.len()),
            Value::String(text) => format!("{:?}", cut(text)),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        };
        self.say(place, &format!("is {quoted}"), rule);
    }

    pub(super) fn missing(&mut self, place: &Place<'_>, rule: &str) {
        self.say(place, "is missing", rule);
    }

    /// Notes an id, and says if it was there before.
    pub(super) fn is_new_id(&mut self, id: &str) -> bool {
        self.ids.insert(id.to_owned())
    }

    pub(super) fn into_sentences(mut self) -> Vec<String> {
        if self.untold > 0 {
            self.told.push(format!("and {} problems more", self.untold));
        }
        self.told
    }

    /// Checks the value of `key` where there is one.
    pub(super) fn field<'v>(
        &mut self,
        place: &Place<'_>,
        object: &'v Map<String, Value>,
        key: &str,
        rule: &str,
        is_right: impl FnOnce(&Value) -> bool,
    ) -> Option<&'v Value> {
        let value = object.get(key)?;
        if is_right(value) {
            return Some(value);
        }
        self.wrong(&place.key(key), value, rule);
        None
    }

    /// The same for a key that must be there.
    pub(super) fn required<'v>(
        &mut self,
        place: &Place<'_>,
        object: &'v Map<String, Value>,
        key: &str,
        rule: &str,
        is_right: impl FnOnce(&Value) -> bool,
    ) -> Option<&'v Value> {
        if !object.contains_key(key) {
            self.missing(&place.key(key), rule);
            return None;
        }
        self.field(place, object, key, rule, is_right)
    }
}
