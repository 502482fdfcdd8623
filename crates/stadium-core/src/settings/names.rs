//! The names of our parameters in Parameter Store.
//!
//! Apart so that a name is written once, for whoever fetches and for whoever parses. Invariant: the prefix is
//! one that SSM takes, so every name built from it is.

use super::SettingsError;

/// The parameters' full names under a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterNames {
    prefix: String,
}

impl ParameterNames {
    /// The prefix of a stack that was given none.
    pub const DEFAULT_PREFIX: &str = "/stadiums";

    /// Names under `prefix`, such as `/stadiums` or `/staging/stadiums`.
    ///
    /// # Errors
    /// A prefix that is empty, does not start with `/`, ends with it, has two in a row, or has a character
    /// outside SSM's `a-z A-Z 0-9 _ . - /`.
    pub fn new(prefix: &str) -> Result<Self, SettingsError> {
        let in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        let is_segment = |segment: &str| !segment.is_empty() && segment.bytes().all(in_name);
        match prefix.strip_prefix('/') {
            Some(path) if path.split('/').all(is_segment) => Ok(Self { prefix: prefix.to_owned() }),
            _ => Err(SettingsError::Prefix { prefix: prefix.to_owned() }),
        }
    }

    /// Names under the prefix that an environment variable holds; unset means
    /// [`DEFAULT_PREFIX`](Self::DEFAULT_PREFIX).
    ///
    /// # Errors
    /// As [`ParameterNames::new`].
    pub fn from_env_value(value: Option<&str>) -> Result<Self, SettingsError> {
        Self::new(value.unwrap_or(Self::DEFAULT_PREFIX))
    }

    /// The database parameters: host, port, name, user.
    pub fn database(&self) -> [String; 4] {
        [self.database_host(), self.database_port(), self.database_name(), self.database_user()]
    }

    /// The cache parameters: host, port, password.
    pub fn cache(&self) -> [String; 3] {
        [self.cache_host(), self.cache_port(), self.cache_password()]
    }

    /// The prefix itself, which tells deployments apart wherever they share something.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// `<prefix>/database/host`
    pub fn database_host(&self) -> String {
        self.name("database/host")
    }

    /// `<prefix>/database/port`
    pub fn database_port(&self) -> String {
        self.name("database/port")
    }

    /// `<prefix>/database/name`
    pub fn database_name(&self) -> String {
        self.name("database/name")
    }

    /// `<prefix>/database/user`
    pub fn database_user(&self) -> String {
        self.name("database/user")
    }

    /// `<prefix>/cache/host`
    pub fn cache_host(&self) -> String {
        self.name("cache/host")
    }

    /// `<prefix>/cache/port`
    pub fn cache_port(&self) -> String {
        self.name("cache/port")
    }

    /// `<prefix>/cache/password`, a SecureString.
    pub fn cache_password(&self) -> String {
        self.name("cache/password")
    }

    fn name(&self, rest: &str) -> String {
        format!("{}/{rest}", self.prefix)
    }
}
