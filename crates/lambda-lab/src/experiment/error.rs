//! Why an experiment cannot be run as its file says, and where in the file that is.
//!
//! Apart from the rules, which all refuse in these words. Invariant: a refused value is told with its file, its line and what is
//! expected instead.

use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

use toml::Spanned;

/// Why an experiment cannot be run as the file says.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// The file cannot be read.
    #[error("experiment file {path}: {source}; name an existing file with --experiment")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML, or has a key or type the experiment file does not have.
    #[error("experiment file {path}: {message}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The TOML reader's words, with line, column and excerpt.
        message: String,
    },
    /// A value is impossible.
    #[error("experiment file {path}, line {line}: {key} = {value}: {expected}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// The key whose value is wrong.
        key: String,
        /// The value.
        value: String,
        /// What is expected instead.
        expected: String,
    },
    /// The profile asked for is not in the file.
    #[error("load profile {name:?} is not in the experiment file; it has: {known}")]
    NoSuchProfile {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// `${key}` names no service value.
    #[error("{template:?} names the unknown value {key:?}; known are: {known}")]
    UnknownPlaceholder {
        /// The text with the placeholder.
        template: String,
        /// The unknown key.
        key: String,
        /// The keys there are.
        known: String,
    },
}

/// The file's text and place, so that a byte range can be told as a line.
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) path: &'a Path,
}

pub(super) type Checked<T> = Result<T, ExperimentError>;

impl Source<'_> {
    pub(super) fn invalid(
        &self,
        span: Range<usize>,
        key: &str,
        value: impl std::fmt::Display,
        expected: &str,
    ) -> ExperimentError {
        ExperimentError::Invalid {
            path: self.path.to_owned(),
            line: self.text[..span.start].matches('\n').count() + 1,
            key: key.to_owned(),
            value: value.to_string(),
            expected: expected.to_owned(),
        }
    }

    pub(super) fn number(&self, key: &str, value: &Spanned<i64>, range: RangeInclusive<u32>) -> Checked<u32> {
        u32::try_from(*value.get_ref()).ok().filter(|number| range.contains(number)).ok_or_else(|| {
            let expected = format!("expected {} to {}", range.start(), range.end());
            self.invalid(value.span(), key, value.get_ref(), &expected)
        })
    }
}
