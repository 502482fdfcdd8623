//! Parameters in, settings or a helpful refusal out.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::collections::HashMap;

use stadium_core::{CacheSettings, DatabaseSettings, ParameterNames, SettingsError};

fn names() -> ParameterNames {
    ParameterNames::from_env_value(None).unwrap()
}

/// A full set of good values under the default prefix, with `changes` made to it: a value replaced or, for
/// `None`, removed.
fn values(changes: &[(&str, Option<&str>)]) -> HashMap<String, String> {
    let good = [
        ("/stadiums/database/host", "proxy.example.com"),
        ("/stadiums/database/port", "5432"),
        ("/stadiums/database/name", "stadiums"),
        ("/stadiums/database/user", "reader"),
        ("/stadiums/cache/host", "10.0.0.7"),
        ("/stadiums/cache/port", "6379"),
        ("/stadiums/cache/password", "hunter2"),
    ];
    let mut values: HashMap<_, _> = good.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    for (name, value) in changes {
        match value {
            Some(value) => values.insert((*name).to_owned(), (*value).to_owned()),
            None => values.remove(*name),
        };
    }
    values
}

fn database_error(name: &str, value: Option<&str>) -> SettingsError {
    DatabaseSettings::parse(&names(), &values(&[(name, value)])).unwrap_err()
}

fn cache_error(name: &str, value: Option<&str>) -> SettingsError {
    CacheSettings::parse(&names(), &values(&[(name, value)])).unwrap_err()
}

#[test]
fn good_values_become_settings() {
    let database = DatabaseSettings::parse(&names(), &values(&[])).unwrap();
    let expected = DatabaseSettings {
        host: "proxy.example.com".to_owned(),
        port: 5432,
        name: "stadiums".to_owned(),
        user: "reader".to_owned(),
    };
    assert_eq!(database, expected);

    let cache = CacheSettings::parse(&names(), &values(&[])).unwrap();
    assert_eq!((cache.host.as_str(), cache.port, cache.password.expose()), ("10.0.0.7", 6379, "hunter2"));
}

#[test]
fn names_are_built_from_the_prefix() {
    let names = ParameterNames::new("/staging/stadiums_1.2-x").unwrap();
    let under = |rest: &str| format!("/staging/stadiums_1.2-x/{rest}");
    assert_eq!(
        names.database(),
        ["host", "port", "name", "user"].map(|rest| under(&format!("database/{rest}")))
    );
    assert_eq!(names.cache(), ["host", "port", "password"].map(|rest| under(&format!("cache/{rest}"))));
    assert_eq!(ParameterNames::from_env_value(None), ParameterNames::new("/stadiums"));
    assert_eq!(ParameterNames::from_env_value(Some("/other")), ParameterNames::new("/other"));
}

#[test]
fn a_prefix_that_ssm_would_not_take_is_refused() {
    for prefix in ["", "/", "stadiums", "/stadiums/", "/a//b", "/a b", "/städte", "/a:1", "//"] {
        let error = ParameterNames::new(prefix).unwrap_err();
        assert_eq!(error, SettingsError::Prefix { prefix: prefix.to_owned() });
        assert!(error.to_string().contains(&format!("{prefix:?}")), "{error}");
    }
    assert!(
        ParameterNames::from_env_value(Some("")).is_err(),
        "set to nothing is a mistake, not the default"
    );
}

#[test]
fn every_missing_or_empty_parameter_is_named() {
    for name in names().database() {
        assert_eq!(database_error(&name, None), SettingsError::Missing { name: name.clone() });
        assert_eq!(database_error(&name, Some("")), SettingsError::Empty { name: name.clone() });
        assert!(database_error(&name, None).to_string().contains(&name));
    }
    for name in names().cache() {
        assert_eq!(cache_error(&name, None), SettingsError::Missing { name: name.clone() });
        assert_eq!(cache_error(&name, Some("")), SettingsError::Empty { name: name.clone() });
    }
}

#[test]
fn a_host_is_a_host_alone() {
    for value in ["https://db", "db.example.com:5432", "a b", " db", "db\n", "db/stadiums", "user@db", "::1"]
    {
        for (name, error) in [
            ("/stadiums/database/host", database_error("/stadiums/database/host", Some(value))),
            ("/stadiums/cache/host", cache_error("/stadiums/cache/host", Some(value))),
        ] {
            assert_eq!(error, SettingsError::Host { name: name.to_owned(), value: value.to_owned() });
            let message = error.to_string();
            assert!(message.contains(name) && message.contains(&format!("{value:?}")), "{message}");
        }
    }
}

#[test]
fn a_port_is_a_number_from_1_to_65535() {
    for value in ["0", "65536", "-1", "5432 ", "postgres", "54.32"] {
        let name = "/stadiums/database/port";
        let expected = SettingsError::Port { name: name.to_owned(), value: value.to_owned() };
        assert_eq!(database_error(name, Some(value)), expected);
        assert!(expected.to_string().contains(&format!("{name} is {value:?}")), "{expected}");
    }
    assert_eq!(
        DatabaseSettings::parse(&names(), &values(&[("/stadiums/database/port", Some("65535"))]))
            .unwrap()
            .port,
        65535
    );
}

#[test]
fn a_password_is_never_shown() {
    let cache = CacheSettings::parse(&names(), &values(&[])).unwrap();
    let shown = format!("{cache:?}");
    assert!(shown.contains("Secret(..)") && !shown.contains("hunter2"), "{shown}");
}
