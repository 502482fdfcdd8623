//! Lines on stdout, which Lambda puts among the function's logs.
//!
//! Apart and small: an extension that logs a dozen lines needs no framework, and its start must stay short.
//! Invariant: no line holds a value that was read, a token or a credential.

use std::fmt;
use std::io::Write;

/// From which severity on lines are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Each request and where its answer came from.
    Debug,
    /// What was configured.
    Info,
    /// Settings that had to be mended.
    Warn,
    /// Requests that failed.
    Error,
    /// Nothing.
    None,
}

impl Level {
    /// The level named `name` in any case, if it is one of debug, info, warn, error and none.
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "debug" => Some(Self::Debug),
            "info" => Some(Self::Info),
            "warn" => Some(Self::Warn),
            "error" => Some(Self::Error),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// Prints what is at least as severe as its level.
#[derive(Clone, Copy, Debug)]
pub struct Log(pub Level);

impl Log {
    pub(crate) fn debug(self, message: fmt::Arguments<'_>) {
        self.line(Level::Debug, "DEBUG", message);
    }

    pub(crate) fn info(self, message: fmt::Arguments<'_>) {
        self.line(Level::Info, "INFO", message);
    }

    pub(crate) fn warn(self, message: fmt::Arguments<'_>) {
        self.line(Level::Warn, "WARN", message);
    }

    pub(crate) fn error(self, message: fmt::Arguments<'_>) {
        self.line(Level::Error, "ERROR", message);
    }

    fn line(self, level: Level, name: &str, message: fmt::Arguments<'_>) {
        if level >= self.0 {
            // Where nobody reads the logs any more, the extension goes on serving.
            let _ = writeln!(std::io::stdout(), "[parameters-extension] {name} {message}");
        }
    }
}
