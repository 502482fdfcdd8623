//! What the environment asks for, read once.
//!
//! Apart from the rest so that tests make settings as values and never touch the process's environment.
//! Invariant: bad values never stop a function; each becomes its default and leaves one warning.

use tracing::level_filters::LevelFilter;

use crate::level;
use crate::traces::Style;
use crate::traces::destination::{self, Destination};

/// The settings of one process; they do not change while it lives.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Lines below this level are not printed.
    pub(crate) level: LevelFilter,
    /// `service` in logs, and the dimension of every metric.
    pub(crate) service: String,
    /// CloudWatch's namespace for the metrics.
    pub(crate) namespace: String,
    /// Replaces the function's name as the dimension of the ColdStart metric.
    pub(crate) metrics_function_name: Option<String>,
    /// False where metrics are switched off, as in a test or on a laptop.
    pub(crate) metrics_enabled: bool,
    /// The share of sandboxes that log at DEBUG, 0 to 1, where one is set.
    pub(crate) sample_rate: Option<f64>,
    /// True where the sandbox was made ahead of its first invocation, which is then no cold start for its caller.
    pub(crate) provisioned: bool,
    /// Where traces go; `None` where tracing is off.
    pub(crate) destination: Option<Destination>,
    /// False where traces only flag errors and do not describe them.
    pub(crate) capture_error: bool,
    /// What is worth a line to the reader of the logs, in the order it was found.
    pub(crate) warnings: Vec<String>,
}

impl Settings {
    /// Reads the settings from `variable`, a look-up such as the process's environment; empty values count as unset.
    ///
    /// `chance` is a number from 0 up to 1, drawn once a sandbox: below the sample rate, the sandbox logs at DEBUG.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>, chance: f64) -> Self {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let mut warnings = Vec::new();

        let own_level = ["POWERTOOLS_LOG_LEVEL", "LOG_LEVEL"]
            .into_iter()
            .find_map(|name| variable(name).map(|value| (name, value)));
        let lambda_level = variable("AWS_LAMBDA_LOG_LEVEL");
        let mut chosen = level::choose(
            own_level.as_ref().map(|(name, value)| (*name, value.as_str())),
            lambda_level.as_deref(),
        );
        warnings.extend(chosen.warning.take());

        let sample_rate = variable("POWERTOOLS_LOGGER_SAMPLE_RATE").and_then(|value| {
            let rate = value.trim().parse::<f64>().ok().filter(|rate| (0.0..=1.0).contains(rate));
            if rate.is_none() {
                warnings.push(format!(
                    "POWERTOOLS_LOGGER_SAMPLE_RATE is `{value}`, which is no share; none is used: set it from 0 to 1"
                ));
            }
            rate
        });
        if sample_rate.is_some_and(|rate| chance < rate) {
            let sampled =
                level::choose(Some(("POWERTOOLS_LOGGER_SAMPLE_RATE", "DEBUG")), lambda_level.as_deref());
            chosen.level = chosen.level.max(sampled.level);
        }

        let destination = destination::choose(&variable, &mut warnings);

        Self {
            level: chosen.level,
            service: variable("POWERTOOLS_SERVICE_NAME").unwrap_or_else(|| "service_undefined".to_owned()),
            namespace: variable("POWERTOOLS_METRICS_NAMESPACE")
                .unwrap_or_else(|| "default_namespace".to_owned()),
            metrics_function_name: variable("POWERTOOLS_METRICS_FUNCTION_NAME"),
            metrics_enabled: !variable("POWERTOOLS_METRICS_DISABLED").is_some_and(|value| is_true(&value)),
            sample_rate,
            provisioned: variable("AWS_LAMBDA_INITIALIZATION_TYPE")
                .is_some_and(|value| value.trim() == "provisioned-concurrency"),
            destination,
            capture_error: !variable("POWERTOOLS_TRACER_CAPTURE_ERROR").is_some_and(|value| is_false(&value)),
            warnings,
        }
    }

    /// What trace documents have of the settings.
    pub(crate) fn style(&self) -> Style {
        Style { service: self.service.clone(), capture_error: self.capture_error }
    }
}

fn is_false(value: &str) -> bool {
    ["0", "false", "off", "no", "n"].iter().any(|word| word.eq_ignore_ascii_case(value.trim()))
}

fn is_true(value: &str) -> bool {
    ["1", "true", "on", "yes", "y"].iter().any(|word| word.eq_ignore_ascii_case(value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)], chance: f64) -> Settings {
        let value = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Settings::read(value, chance)
    }

    #[test]
    fn the_defaults_are_those_of_powertools() {
        let settings = read(&[], 0.0);
        assert_eq!(settings.level, LevelFilter::INFO);
        assert_eq!(settings.service, "service_undefined");
        assert_eq!(settings.namespace, "default_namespace");
        assert!(settings.metrics_enabled && !settings.provisioned && settings.sample_rate.is_none());
        assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    }

    #[test]
    fn the_powertools_level_wins_over_the_legacy_one() {
        let settings = read(&[("LOG_LEVEL", "ERROR"), ("POWERTOOLS_LOG_LEVEL", "debug")], 0.0);
        assert_eq!(settings.level, LevelFilter::DEBUG);
        assert_eq!(read(&[("LOG_LEVEL", "error")], 0.0).level, LevelFilter::ERROR);
    }

    #[test]
    fn an_empty_value_counts_as_unset() {
        let settings = read(&[("POWERTOOLS_SERVICE_NAME", ""), ("POWERTOOLS_LOG_LEVEL", " ")], 0.0);
        assert_eq!(settings.service, "service_undefined");
        assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    }

    #[test]
    fn the_sample_rate_turns_a_share_of_sandboxes_to_debug() {
        let rate = [("POWERTOOLS_LOGGER_SAMPLE_RATE", "0.25")];
        assert_eq!(read(&rate, 0.24).level, LevelFilter::DEBUG);
        assert_eq!(read(&rate, 0.25).level, LevelFilter::INFO);
        assert_eq!(read(&rate, 0.25).sample_rate, Some(0.25));
        // Lambda's floor holds, and a sandbox that already prints more keeps doing so.
        let floor = [("POWERTOOLS_LOGGER_SAMPLE_RATE", "1"), ("AWS_LAMBDA_LOG_LEVEL", "WARN")];
        assert_eq!(read(&floor, 0.5).level, LevelFilter::WARN);
        let both = [("POWERTOOLS_LOGGER_SAMPLE_RATE", "1"), ("LOG_LEVEL", "TRACE")];
        assert_eq!(read(&both, 0.5).level, LevelFilter::TRACE);
    }

    #[test]
    fn a_sample_rate_that_is_no_share_is_left_out_with_a_warning() {
        for value in ["2", "-0.1", "often", "NaN"] {
            let settings = read(&[("POWERTOOLS_LOGGER_SAMPLE_RATE", value)], 0.0);
            assert_eq!((settings.sample_rate, settings.level), (None, LevelFilter::INFO), "{value}");
            assert!(settings.warnings[0].contains(value), "{:?}", settings.warnings);
        }
    }

    #[test]
    fn metrics_are_switched_off_by_any_word_for_true() {
        for (value, enabled) in [("true", false), ("1", false), ("False", true), ("0", true)] {
            let settings = read(&[("POWERTOOLS_METRICS_DISABLED", value)], 0.0);
            assert_eq!(settings.metrics_enabled, enabled, "{value}");
        }
    }
}
