//! The database's settings from the environment: `DATABASE_HOST`, `DATABASE_PORT`, `DATABASE_NAME`, `DATABASE_USER`.
//!
//! Apart from `main` because it maps variables to the parameters that the other functions fetch. Invariant: values are parsed by
//! the same rules as parameters.

use std::collections::HashMap;

use stadium_core::{DatabaseSettings, ParameterNames, SettingsError};

/// Parses the settings.
///
/// # Errors
/// The parameter whose variable is missing or unusable, with its value and what is expected.
pub(crate) fn from_env() -> Result<DatabaseSettings, SettingsError> {
    parse(|variable| std::env::var(variable).ok())
}

fn parse(variable: impl Fn(&str) -> Option<String>) -> Result<DatabaseSettings, SettingsError> {
    let names = ParameterNames::from_env_value(None)?;
    let variables = ["DATABASE_HOST", "DATABASE_PORT", "DATABASE_NAME", "DATABASE_USER"];
    let values: HashMap<_, _> = names
        .database()
        .into_iter()
        .zip(variables)
        .filter_map(|(name, key)| Some((name, variable(key)?)))
        .collect();
    DatabaseSettings::parse(&names, &values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_each_variable_to_its_parameter() {
        let settings = parse(|variable| {
            Some(if variable == "DATABASE_PORT" {
                "5432".to_owned()
            } else {
                variable.to_lowercase().replace('_', "-")
            })
        });
        let settings = settings.unwrap();
        assert_eq!((settings.host.as_str(), settings.port), ("database-host", 5432));
        assert_eq!((settings.name.as_str(), settings.user.as_str()), ("database-name", "database-user"));
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = parse(|variable| (variable != "DATABASE_USER").then(|| "5432".to_owned())).unwrap_err();
        assert!(error.to_string().contains("database/user"), "{error}");
    }
}
