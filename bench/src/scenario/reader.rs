//! Reading the tree of a scenario file: maps whose keys are known, values of a wanted type.
//!
//! Apart from the rules, which say only what is wanted. Invariant: whoever gets a [`Map`] has had each of its keys checked, and every
//! refusal names the file, the line, the key with where it stands, and the value.

use std::path::Path;

use serde_saphyr::Spanned;

use super::error::ScenarioError;
use super::keys::{Known, Section};
use super::yaml::Node;

pub(super) type Checked<T> = Result<T, ScenarioError>;

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Value<'a> {
    path: &'a Path,
    /// Such as `config.phases[2].duration`.
    at: String,
    node: &'a Spanned<Node>,
}

/// A map whose keys have been checked.
pub(super) struct Map<'a> {
    whole: Value<'a>,
    entries: &'a [(Spanned<String>, Spanned<Node>)],
}

impl<'a> Value<'a> {
    pub(super) fn document(path: &'a Path, node: &'a Spanned<Node>) -> Self {
        Self { path, at: String::new(), node }
    }

    pub(super) fn invalid(&self, expected: impl Into<String>) -> ScenarioError {
        let at = if self.at.is_empty() { "the file" } else { &self.at };
        ScenarioError::Invalid {
            path: self.path.to_owned(),
            line: self.node.referenced.line().max(1),
            key: at.to_owned(),
            value: self.node.value.to_string(),
            expected: expected.into(),
        }
    }

    pub(super) fn map(&self, section: &Section) -> Checked<Map<'a>> {
        let known = section.supported.join(", ");
        let Node::Map(entries) = &self.node.value else {
            return Err(self.invalid(format!("expected a map with {known}")));
        };
        for (key, _) in entries {
            let at = self.below(&key.value);
            let (path, line) = (self.path.to_owned(), key.referenced.line());
            match section.knows(&key.value) {
                Known::Supported => {}
                Known::OnlyArtillery => return Err(ScenarioError::Unsupported { path, line, key: at }),
                Known::Nowhere => return Err(ScenarioError::Unknown { path, line, key: at, known }),
            }
        }
        Ok(Map { whole: self.clone(), entries })
    }

    /// Its items; `expected` says what they are.
    pub(super) fn list(&self, expected: &str) -> Checked<Vec<Value<'a>>> {
        let Node::List(items) = &self.node.value else { return Err(self.invalid(expected)) };
        let item = |(index, node)| Value { path: self.path, at: format!("{}[{index}]", self.at), node };
        Ok(items.iter().enumerate().map(item).collect())
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self.node.value, Node::List(_))
    }

    pub(super) fn is_nothing(&self) -> bool {
        matches!(self.node.value, Node::Nothing)
    }

    pub(super) fn text(&self, expected: &str) -> Checked<&'a str> {
        match &self.node.value {
            Node::Text(text) if text.contains("{{") => {
                Err(self.unsupported(format!("the template {text:?} in {}", self.at)))
            }
            Node::Text(text) => Ok(text),
            _ => Err(self.invalid(expected)),
        }
    }

    /// A number, or a text that is one: Artillery takes both.
    pub(super) fn number(&self, expected: &str) -> Checked<f64> {
        let number = match &self.node.value {
            Node::Number(number) => Some(*number),
            Node::Text(_) => self.text(expected)?.trim().parse().ok(),
            _ => None,
        };
        number.filter(|number: &f64| number.is_finite()).ok_or_else(|| self.invalid(expected))
    }

    /// A number that `holds`.
    pub(super) fn number_that(&self, expected: &str, holds: impl Fn(f64) -> bool) -> Checked<f64> {
        let number = self.number(expected)?;
        if holds(number) { Ok(number) } else { Err(self.invalid(expected)) }
    }

    pub(super) fn unsupported(&self, key: String) -> ScenarioError {
        ScenarioError::Unsupported { path: self.path.to_owned(), line: self.node.referenced.line(), key }
    }

    fn below(&self, key: &str) -> String {
        if self.at.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at) }
    }
}

impl<'a> Map<'a> {
    /// The value of `key`; none where it is not there or has nothing.
    pub(super) fn get(&self, key: &str) -> Option<Value<'a>> {
        let (_, node) = self.entries.iter().find(|(name, _)| name.value == key)?;
        let value = Value { path: self.whole.path, at: self.whole.below(key), node };
        (!value.is_nothing()).then_some(value)
    }

    /// The value of `key`, which must be there; `expected` says what it is.
    pub(super) fn need(&self, key: &str, expected: &str) -> Checked<Value<'a>> {
        self.get(key).ok_or_else(|| ScenarioError::Invalid {
            path: self.whole.path.to_owned(),
            line: self.whole.node.referenced.line(),
            key: self.whole.below(key),
            value: "nothing".to_owned(),
            expected: expected.to_owned(),
        })
    }

    /// Whether `key` is there, with or without a value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, _)| name.value == key)
    }

    /// The first key without a value.
    pub(super) fn empty(&self) -> Option<Value<'a>> {
        let (name, node) = self.entries.iter().find(|(_, node)| matches!(node.value, Node::Nothing))?;
        Some(Value { path: self.whole.path, at: self.whole.below(&name.value), node })
    }

    /// How many keys it has.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn whole(&self) -> &Value<'a> {
        &self.whole
    }
}
