//! The environment variables of AWS's extension, read once.
//!
//! Apart so that tests make settings from values and never touch the process's environment. A tuning value that makes no sense
//! becomes its default with a warning, as in AWS's extension; without a region, credentials or a usable endpoint nothing can be
//! served, so those stop the start. Invariant: a time to live is never longer than 300 seconds.

use std::time::Duration;

use aws_credential_types::Credentials;
use http::Uri;

use crate::log::Level;

const MAX_TTL_SECONDS: u64 = 300;
const MAX_CACHE_SIZE: usize = 1000;

/// Everything that the environment decides.
#[derive(Clone)]
pub struct Settings {
    /// The port on 127.0.0.1; 0 lets the system choose.
    pub port: u16,
    /// Values kept at a time, parameters and secrets together; 0 keeps none.
    pub cache_size: usize,
    /// Calls to AWS at a time.
    pub max_connections: usize,
    /// From which severity on lines are printed.
    pub log_level: Level,
    /// How parameters are read.
    pub parameters: ServiceSettings,
    /// How secrets are read.
    pub secrets: ServiceSettings,
    /// The region that calls are signed for.
    pub region: String,
    /// The function's own credentials.
    pub credentials: Credentials,
    /// What callers must send as `X-Aws-Parameters-Secrets-Token`: the session token.
    pub token: String,
    /// What had to be mended, for the log.
    pub warnings: Vec<String>,
}

/// How one service is asked, and how long its answers live.
#[derive(Clone, Debug)]
pub struct ServiceSettings {
    /// Where it is asked: scheme and authority, and a path where the endpoint has one.
    pub endpoint: Uri,
    /// How long a value is served without asking again; zero asks each time.
    pub ttl: Duration,
    /// How long a request may wait for the service; none waits as long as the function lives.
    pub timeout: Option<Duration>,
}

/// Why the extension cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Something that Lambda always sets is not there.
    #[error("{0} is not set; Lambda sets it for every extension, outside Lambda set it yourself")]
    Missing(&'static str),
    /// An endpoint that no request can be sent to.
    #[error("{variable} is `{value}`, which is no endpoint; write it as https://host or http://host:port")]
    Endpoint {
        /// The variable that names it.
        variable: String,
        /// Its value.
        value: String,
    },
}

impl Settings {
    /// Reads the settings from `variable`, a look-up such as the process's environment; empty values count as unset.
    ///
    /// # Errors
    /// When the region or the credentials are missing, or an endpoint is no URL.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut reader = Reader { variable: &variable, warnings: Vec::new() };
        let region = reader
            .text("AWS_REGION")
            .or_else(|| reader.text("AWS_DEFAULT_REGION"))
            .ok_or(SettingsError::Missing("AWS_REGION"))?;
        let token = reader.required("AWS_SESSION_TOKEN")?;
        let credentials = Credentials::new(
            reader.required("AWS_ACCESS_KEY_ID")?,
            reader.required("AWS_SECRET_ACCESS_KEY")?,
            Some(token.clone()),
            None,
            "environment",
        );
        let cache_enabled = reader.cache_enabled();
        let cache_size =
            reader.number("PARAMETERS_SECRETS_EXTENSION_CACHE_SIZE", 0, MAX_CACHE_SIZE, MAX_CACHE_SIZE);
        Ok(Self {
            port: reader.number("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", 0, u16::MAX, 2773),
            cache_size: if cache_enabled { cache_size } else { 0 },
            max_connections: reader.number("PARAMETERS_SECRETS_EXTENSION_MAX_CONNECTIONS", 1, 1000, 3),
            log_level: reader.log_level(),
            parameters: reader.service("ssm", "SSM", "SSM_PARAMETER_STORE", &region)?,
            secrets: reader.service("secretsmanager", "SECRETS_MANAGER", "SECRETS_MANAGER", &region)?,
            region,
            credentials,
            token,
            warnings: reader.warnings,
        })
    }
}

struct Reader<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    warnings: Vec<String>,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> Option<String> {
        (self.variable)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn required(&self, name: &'static str) -> Result<String, SettingsError> {
        self.text(name).ok_or(SettingsError::Missing(name))
    }

    fn number<T>(&mut self, name: &str, least: T, most: T, default: T) -> T
    where
        T: Copy + PartialOrd + std::str::FromStr + std::fmt::Display,
    {
        let Some(text) = self.text(name) else {
            return default;
        };
        match text.parse::<T>() {
            Ok(number) if number >= least && number <= most => number,
            _ => {
                self.warnings.push(format!(
                    "{name} is `{text}`, which is not from {least} to {most}; {default} is used"
                ));
                default
            }
        }
    }

    fn cache_enabled(&mut self) -> bool {
        const NAME: &str = "PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED";
        let Some(text) = self.text(NAME) else { return true };
        parse_bool(&text).unwrap_or_else(|| {
            self.warnings.push(format!("{NAME} is `{text}`, which is neither true nor false; true is used"));
            true
        })
    }

    fn log_level(&mut self) -> Level {
        const NAME: &str = "PARAMETERS_SECRETS_EXTENSION_LOG_LEVEL";
        let Some(text) = self.text(NAME) else {
            return Level::Info;
        };
        Level::parse(&text).unwrap_or_else(|| {
            self.warnings.push(format!(
                "{NAME} is `{text}`, which is none of debug, info, warn, error, none; info is used"
            ));
            Level::Info
        })
    }

    fn service(
        &mut self,
        host: &str,
        endpoint_name: &str,
        prefix: &str,
        region: &str,
    ) -> Result<ServiceSettings, SettingsError> {
        let timeout_ms = self.number(&format!("{prefix}_TIMEOUT_MILLIS"), 0, u64::MAX, 0);
        Ok(ServiceSettings {
            endpoint: self.endpoint(host, endpoint_name, region)?,
            ttl: self.ttl(&format!("{prefix}_TTL")),
            timeout: (timeout_ms > 0).then(|| Duration::from_millis(timeout_ms)),
        })
    }

    fn ttl(&mut self, name: &str) -> Duration {
        let mut seconds = self.number(name, 0, u64::MAX, MAX_TTL_SECONDS);
        if seconds > MAX_TTL_SECONDS {
            self.warnings.push(format!(
                "{name} is `{seconds}`, more than {MAX_TTL_SECONDS} s; {MAX_TTL_SECONDS} s is used"
            ));
            seconds = MAX_TTL_SECONDS;
        }
        Duration::from_secs(seconds)
    }

    fn endpoint(&self, host: &str, name: &str, region: &str) -> Result<Uri, SettingsError> {
        let own = format!("AWS_ENDPOINT_URL_{name}");
        let (variable, value) = if let Some(value) = self.text(&own) {
            (own, value)
        } else if let Some(value) = self.text("AWS_ENDPOINT_URL") {
            ("AWS_ENDPOINT_URL".to_owned(), value)
        } else {
            let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
            ("AWS_REGION".to_owned(), format!("https://{host}.{region}.{suffix}"))
        };
        match value.parse::<Uri>() {
            Ok(uri)
                if matches!(uri.scheme_str(), Some("https" | "http"))
                    && uri.host().is_some_and(|host| !host.is_empty()) =>
            {
                Ok(uri)
            }
            _ => Err(SettingsError::Endpoint { variable, value }),
        }
    }
}

/// The words that AWS's extension, written in Go, takes for true and false.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}
