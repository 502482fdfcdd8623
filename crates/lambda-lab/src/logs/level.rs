//! Log levels as AWS has them, for a function's own lines and for the platform's.
//!
//! Apart from the formats because both filters ask it. Invariant: a higher level tells less.

/// A level of a function's own lines, `LoggingConfig.ApplicationLogLevel`; the least that is logged.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum ApplicationLevel {
    /// Everything.
    Trace,
    /// For debugging.
    Debug,
    /// AWS's default.
    #[default]
    Info,
    /// Warnings and worse.
    Warn,
    /// Errors and worse.
    Error,
    /// Only what ends a function.
    Fatal,
}

/// A level of the platform's events, `LoggingConfig.SystemLogLevel`; the least that is logged.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum SystemLevel {
    /// Everything.
    Debug,
    /// AWS's default.
    #[default]
    Info,
    /// What went wrong.
    Warn,
}

impl ApplicationLevel {
    /// As `AWS_LAMBDA_LOG_LEVEL` spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }
}
