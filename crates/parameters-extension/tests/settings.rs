//! The environment variables: defaults, limits, and what stops the start.

use std::time::Duration;

use parameters_extension::log::Level;
use parameters_extension::{Settings, SettingsError};

const LAMBDA: [(&str, &str); 4] = [
    ("AWS_REGION", "eu-central-1"),
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_SESSION_TOKEN", "token"),
];

fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let value = |name: &str| {
        let all = variables.iter().chain(&LAMBDA);
        all.clone().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    Settings::read(value)
}

fn message(variables: &[(&str, &str)]) -> String {
    read(variables).err().map_or_else(|| "it started".to_owned(), |error| error.to_string())
}

#[test]
fn the_defaults_are_those_of_awss_extension() {
    let settings = read(&[]).unwrap();
    assert_eq!((settings.port, settings.cache_size, settings.max_connections), (2773, 1000, 3));
    assert_eq!(settings.log_level, Level::Info);
    for service in [&settings.parameters, &settings.secrets] {
        assert_eq!((service.ttl, service.timeout), (Duration::from_secs(300), None));
    }
    assert_eq!(settings.parameters.endpoint, "https://ssm.eu-central-1.amazonaws.com/");
    assert_eq!(settings.secrets.endpoint, "https://secretsmanager.eu-central-1.amazonaws.com/");
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
}

#[test]
fn an_endpoint_of_its_own_goes_before_the_common_one_and_that_before_the_regions() {
    let common = ("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let settings = read(&[common, ("AWS_ENDPOINT_URL_SSM", "https://localhost:2")]).unwrap();
    assert_eq!(settings.parameters.endpoint, "https://localhost:2/");
    assert_eq!(settings.secrets.endpoint, "http://127.0.0.1:1/");
    let china = read(&[("AWS_REGION", "cn-north-1")]).unwrap();
    assert_eq!(china.parameters.endpoint, "https://ssm.cn-north-1.amazonaws.com.cn/");
}

#[test]
fn a_tuning_value_that_makes_no_sense_is_mended_with_a_warning() {
    let variables = [
        ("PARAMETERS_SECRETS_EXTENSION_MAX_CONNECTIONS", "0"),
        ("PARAMETERS_SECRETS_EXTENSION_CACHE_SIZE", "1001"),
        ("PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED", "maybe"),
        ("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "70000"),
        ("PARAMETERS_SECRETS_EXTENSION_LOG_LEVEL", "loud"),
        ("SSM_PARAMETER_STORE_TTL", "301"),
        ("SECRETS_MANAGER_TTL", "-1"),
        ("SECRETS_MANAGER_TIMEOUT_MILLIS", "soon"),
    ];
    let settings = read(&variables).unwrap();
    assert_eq!((settings.port, settings.cache_size, settings.max_connections), (2773, 1000, 3));
    assert_eq!(settings.parameters.ttl, Duration::from_secs(300));
    assert_eq!((settings.secrets.ttl, settings.secrets.timeout), (Duration::from_secs(300), None));
    for (name, value) in variables {
        let told = settings
            .warnings
            .iter()
            .any(|warning| warning.contains(name) && warning.contains(&format!("`{value}`")));
        assert!(told, "no warning names {name}: {:?}", settings.warnings);
    }
    assert_eq!(settings.warnings.len(), variables.len());
}

#[test]
fn the_cache_can_be_switched_off_and_the_time_outs_set() {
    let variables = [
        ("PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED", "False"),
        ("SSM_PARAMETER_STORE_TIMEOUT_MILLIS", "1500"),
        ("SSM_PARAMETER_STORE_TTL", "0"),
        ("PARAMETERS_SECRETS_EXTENSION_LOG_LEVEL", "NONE"),
    ];
    let settings = read(&variables).unwrap();
    assert_eq!((settings.cache_size, settings.log_level), (0, Level::None));
    assert_eq!(
        (settings.parameters.ttl, settings.parameters.timeout),
        (Duration::ZERO, Some(Duration::from_millis(1500)))
    );
}

#[test]
fn what_lambda_always_sets_must_be_there() {
    for (name, _) in LAMBDA {
        assert!(message(&[(name, "")]).contains(name), "{}", message(&[(name, "")]));
    }
    assert_eq!(read(&[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "us-east-1")]).unwrap().region, "us-east-1");
}

#[test]
fn an_endpoint_that_is_none_is_named_with_its_variable() {
    for value in ["localhost:4566", "ftp://localhost", "/path", "http://", "http://:80"] {
        let text = message(&[("AWS_ENDPOINT_URL_SECRETS_MANAGER", value)]);
        assert!(text.contains("AWS_ENDPOINT_URL_SECRETS_MANAGER") && text.contains(value), "{text}");
    }
}
