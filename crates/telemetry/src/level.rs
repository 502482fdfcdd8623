//! Powertools' level names, and which of them decides.
//!
//! Apart from `settings`, because the precedence between three variables is a small decision with cases of its own.
//! Invariant: an unknown name never silences logs; it becomes INFO and leaves a warning.

use tracing::level_filters::LevelFilter;

/// The level from which lines are printed, with what is worth a warning about how it was chosen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ChosenLevel {
    pub(crate) level: LevelFilter,
    pub(crate) warning: Option<String>,
}

/// Chooses from the function's own level (`POWERTOOLS_LOG_LEVEL`, else `LOG_LEVEL`) and Lambda's (`AWS_LAMBDA_LOG_LEVEL`).
///
/// Lambda drops what is below its own level after the function has paid for printing it; so the stricter of the two wins, and
/// Lambda's alone is enough where the function names none.
pub(crate) fn choose(own: Option<(&'static str, &str)>, lambda: Option<&str>) -> ChosenLevel {
    // Lambda writes its own variable; a name that we do not know there is no reason to change anything.
    let lambda = lambda.and_then(parse);
    let Some((variable, name)) = own else {
        return ChosenLevel { level: lambda.unwrap_or(LevelFilter::INFO), warning: None };
    };
    let Some(level) = parse(name) else {
        let warning = format!(
            "{variable} is `{name}`, which is no log level; INFO is used: \
             set it to TRACE, DEBUG, INFO, WARN, ERROR, CRITICAL or SILENT"
        );
        let level = lambda.map_or(LevelFilter::INFO, |lambda| lambda.min(LevelFilter::INFO));
        return ChosenLevel { level, warning: Some(warning) };
    };
    match lambda {
        Some(lambda) if lambda < level => {
            let warning = format!(
                "{variable} is `{name}`, but AWS_LAMBDA_LOG_LEVEL is stricter and wins: \
                 lower the function's application log level to see more"
            );
            ChosenLevel { level: lambda, warning: Some(warning) }
        }
        _ => ChosenLevel { level, warning: None },
    }
}

/// CRITICAL and FATAL lie above the highest level that `tracing` has, so they print as little as SILENT does.
fn parse(name: &str) -> Option<LevelFilter> {
    const NAMES: [(&str, LevelFilter); 9] = [
        ("TRACE", LevelFilter::TRACE),
        ("DEBUG", LevelFilter::DEBUG),
        ("INFO", LevelFilter::INFO),
        ("WARN", LevelFilter::WARN),
        ("WARNING", LevelFilter::WARN),
        ("ERROR", LevelFilter::ERROR),
        ("CRITICAL", LevelFilter::OFF),
        ("FATAL", LevelFilter::OFF),
        ("SILENT", LevelFilter::OFF),
    ];
    let name = name.trim();
    NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, level)| *level)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level_of(own: Option<&str>, lambda: Option<&str>) -> LevelFilter {
        choose(own.map(|name| ("POWERTOOLS_LOG_LEVEL", name)), lambda).level
    }

    #[test]
    fn every_name_is_known_in_any_case() {
        let expected = [
            ("trace", LevelFilter::TRACE),
            ("Debug", LevelFilter::DEBUG),
            ("INFO", LevelFilter::INFO),
            ("wArN", LevelFilter::WARN),
            ("error", LevelFilter::ERROR),
            ("CRITICAL", LevelFilter::OFF),
            ("silent", LevelFilter::OFF),
        ];
        for (name, level) in expected {
            assert_eq!(level_of(Some(name), None), level, "{name}");
        }
    }

    #[test]
    fn an_unknown_name_becomes_info_with_a_warning_that_names_it() {
        let chosen = choose(Some(("LOG_LEVEL", "loud")), None);
        assert_eq!(chosen.level, LevelFilter::INFO);
        let warning = chosen.warning.expect("a warning");
        assert!(warning.contains("LOG_LEVEL") && warning.contains("`loud`"), "{warning}");
    }

    #[test]
    fn an_unknown_name_does_not_lift_lambdas_floor() {
        assert_eq!(level_of(Some("loud"), Some("ERROR")), LevelFilter::ERROR);
    }

    #[test]
    fn lambdas_level_is_a_floor_and_says_so_when_it_wins() {
        let chosen = choose(Some(("POWERTOOLS_LOG_LEVEL", "DEBUG")), Some("WARN"));
        assert_eq!(chosen.level, LevelFilter::WARN);
        assert!(chosen.warning.is_some_and(|warning| warning.contains("AWS_LAMBDA_LOG_LEVEL")));

        let chosen = choose(Some(("POWERTOOLS_LOG_LEVEL", "ERROR")), Some("DEBUG"));
        assert_eq!(chosen, ChosenLevel { level: LevelFilter::ERROR, warning: None });
    }

    #[test]
    fn lambdas_level_alone_is_used_and_info_is_the_default() {
        assert_eq!(level_of(None, Some("FATAL")), LevelFilter::OFF);
        assert_eq!(level_of(None, Some("DEBUG")), LevelFilter::DEBUG);
        assert_eq!(level_of(None, None), LevelFilter::INFO);
    }
}
