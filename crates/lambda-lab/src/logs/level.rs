//! Log levels as AWS has them, for a function's own lines and for the platform's events.
//!
//! Apart from the formats because both filters ask it. The rules are those of
//! <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>. Invariant: a higher level tells less.

use super::event::{EventStatus, Initialization, PlatformEvent};

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

impl ApplicationLevel {
    const ALL: [Self; 6] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Fatal];

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

    /// The level of one line a function printed: its key `level`, in any case, if it is a JSON object and tells a valid RFC 3339
    /// time too; anything else is INFO.
    pub(super) fn of_line(line: &[u8]) -> Self {
        // Spares the parser where it cannot succeed.
        if line.trim_ascii_start().first() != Some(&b'{') {
            return Self::Info;
        }
        let Ok(object) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(line) else {
            return Self::Info;
        };
        // AWS: "Lambda supports most common naming conventions used by the managed runtimes."
        let time = ["timestamp", "Timestamp", "time", "@timestamp"].iter().find_map(|key| object.get(*key));
        if time.and_then(|time| time.as_str()?.parse::<jiff::Timestamp>().ok()).is_none() {
            return Self::Info;
        }
        let level = object.get("level").and_then(|level| level.as_str()).unwrap_or("");
        let known = Self::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(level));
        known.unwrap_or(Self::Info)
    }
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

impl SystemLevel {
    /// The level of `event`: AWS's table "System log level event mapping", in which the runtime version is always set here.
    pub(super) fn of_event(event: &PlatformEvent) -> Self {
        match event {
            PlatformEvent::InitRuntimeDone { status, .. } | PlatformEvent::RuntimeDone { status, .. } => {
                if *status == EventStatus::Success {
                    Self::Debug
                } else {
                    Self::Warn
                }
            }
            PlatformEvent::InitReport { status, .. } if *status != EventStatus::Success => Self::Warn,
            PlatformEvent::InitReport { initialization: Initialization::OnDemand, .. } => Self::Debug,
            PlatformEvent::Report(report) if report.status != EventStatus::Success => Self::Warn,
            PlatformEvent::Extension { error_type: Some(_), .. } | PlatformEvent::Fault { .. } => Self::Warn,
            PlatformEvent::InitStart { .. }
            | PlatformEvent::InitReport { .. }
            | PlatformEvent::Start { .. }
            | PlatformEvent::Report(_)
            | PlatformEvent::Extension { .. }
            | PlatformEvent::TelemetrySubscription { .. } => Self::Info,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_level_it_tells_and_info_where_it_tells_none_as_aws_documents() {
        let table = [
            (
                r#"{"level":"debug","msg":"m","timestamp":"2024-11-02T16:51:31.587199Z"}"#,
                ApplicationLevel::Debug,
            ),
            (r#"{"timestamp":"2024-11-02T16:51:31Z","level":"ERROR"}"#, ApplicationLevel::Error),
            (r#" {"time":"2024-11-02T16:51:31+02:00","level":"Fatal"}"#, ApplicationLevel::Fatal),
            (r#"{"timestamp":"2024-11-02T16:51:31Z","level":"notice"}"#, ApplicationLevel::Info),
            (r#"{"timestamp":"2024-11-02T16:51:31Z"}"#, ApplicationLevel::Info),
            (r#"{"level":"ERROR"}"#, ApplicationLevel::Info),
            (r#"{"level":"ERROR","timestamp":"yesterday"}"#, ApplicationLevel::Info),
            (r#"{"level":"ERROR","timestamp":"#, ApplicationLevel::Info),
            ("ERROR in plain words", ApplicationLevel::Info),
            ("", ApplicationLevel::Info),
        ];
        for (line, level) in table {
            assert_eq!(ApplicationLevel::of_line(line.as_bytes()), level, "{line}");
        }
    }

    #[test]
    fn levels_are_spelt_as_aws_spells_them() {
        assert_eq!(serde_json::to_string(&ApplicationLevel::Fatal).unwrap(), r#""FATAL""#);
        assert_eq!(serde_json::from_str::<SystemLevel>(r#""DEBUG""#).unwrap(), SystemLevel::Debug);
        let wrong = serde_json::from_str::<SystemLevel>(r#""ERROR""#).unwrap_err().to_string();
        assert!(wrong.contains("expected one of `DEBUG`, `INFO`, `WARN`"), "{wrong}");
    }
}
