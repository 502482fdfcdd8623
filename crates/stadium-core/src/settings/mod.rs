//! Settings, parsed from parameters: what exists as a type here is usable as it stands.
//!
//! Apart from whoever fetches the parameters, so that both functions read, and refuse, the same values.
//! Invariant: each error names the parameter and what is expected; a password never appears in one.

mod names;

use std::collections::HashMap;

pub use names::ParameterNames;

use crate::Secret;

/// Where the database is, and who logs in to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseSettings {
    /// Host name, or IPv4 address, that the server's certificate names.
    pub host: String,
    /// TCP port, never 0.
    pub port: u16,
    /// The database's name.
    pub name: String,
    /// The role that logs in with an IAM token.
    pub user: String,
}

/// Where the cache is, and its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheSettings {
    /// Host name, or IPv4 address, that the server's certificate names.
    pub host: String,
    /// TCP port, never 0.
    pub port: u16,
    /// The password for `AUTH`.
    pub password: Secret,
}

/// Why parameters are no settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The prefix cannot start a parameter's name.
    #[error(
        "the parameter prefix {prefix:?} cannot be used: write it like /stadiums, each segment after a '/' and of \
         letters, digits, '.', '-' and '_'"
    )]
    Prefix {
        /// The prefix as given.
        prefix: String,
    },
    /// A parameter was not among those fetched.
    #[error(
        "the parameter {name} is missing: create it in Parameter Store, and let the function's role read it"
    )]
    Missing {
        /// The parameter's full name.
        name: String,
    },
    /// A parameter is there, and empty.
    #[error("the parameter {name} is empty: give it a value")]
    Empty {
        /// The parameter's full name.
        name: String,
    },
    /// A host is not a host alone.
    #[error(
        "the parameter {name} is {value:?}: give a host name or an IPv4 address alone, such as db.example.com, \
         without scheme, port, path or blanks"
    )]
    Host {
        /// The parameter's full name.
        name: String,
        /// Its value.
        value: String,
    },
    /// A port is not a port.
    #[error("the parameter {name} is {value:?}: give a port, a whole number from 1 to 65535")]
    Port {
        /// The parameter's full name.
        name: String,
        /// Its value.
        value: String,
    },
}

impl DatabaseSettings {
    /// Takes the four database parameters out of `values`, which are keyed by full name; others are ignored.
    ///
    /// # Errors
    /// The first parameter that is missing or cannot be used.
    pub fn parse(names: &ParameterNames, values: &HashMap<String, String>) -> Result<Self, SettingsError> {
        Ok(Self {
            host: host(values, names.database_host())?,
            port: port(values, names.database_port())?,
            name: text(values, names.database_name())?,
            user: text(values, names.database_user())?,
        })
    }
}

impl CacheSettings {
    /// Takes the three cache parameters out of `values`, which are keyed by full name; others are ignored.
    ///
    /// # Errors
    /// The first parameter that is missing or cannot be used.
    pub fn parse(names: &ParameterNames, values: &HashMap<String, String>) -> Result<Self, SettingsError> {
        Ok(Self {
            host: host(values, names.cache_host())?,
            port: port(values, names.cache_port())?,
            password: Secret::new(text(values, names.cache_password())?),
        })
    }
}

fn text(values: &HashMap<String, String>, name: String) -> Result<String, SettingsError> {
    match values.get(&name) {
        None => Err(SettingsError::Missing { name }),
        Some(value) if value.is_empty() => Err(SettingsError::Empty { name }),
        Some(value) => Ok(value.clone()),
    }
}

/// A host that can stand in a URL and in a certificate as it is. Values are not trimmed: what Parameter Store
/// holds is what `psql` and `redis-cli` would be given too.
fn host(values: &HashMap<String, String>, name: String) -> Result<String, SettingsError> {
    let value = text(values, name.clone())?;
    let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_');
    if value.chars().all(plain) { Ok(value) } else { Err(SettingsError::Host { name, value }) }
}

fn port(values: &HashMap<String, String>, name: String) -> Result<u16, SettingsError> {
    let value = text(values, name.clone())?;
    match value.parse() {
        Ok(port) if port != 0 => Ok(port),
        _ => Err(SettingsError::Port { name, value }),
    }
}
