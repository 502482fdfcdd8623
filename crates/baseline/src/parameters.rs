//! Parameters by the AWS SDK: one `GetParameters` call for all names.
//!
//! Apart from the database because this is what the extension replaces in the optimized function. Invariant: settings are
//! complete and valid, or there are none.

use std::collections::HashMap;

use aws_config::BehaviorVersion;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::error::DisplayErrorContext;
use stadium_core::{DatabaseSettings, ParameterNames, SettingsError};

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ParametersError {
    /// The call itself failed: no network, no permission, throttled.
    #[error("GetParameters failed: {0}")]
    Call(String),
    /// Names that Parameter Store does not have.
    #[error("Parameter Store has no {names}; create them, or set PARAMETER_PREFIX to where they are")]
    Missing {
        /// The names, separated by commas.
        names: String,
    },
    /// A value that cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

/// A new SSM client, configured from the environment as the SDK's guide shows.
pub async fn client() -> Client {
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    Client::new(&config)
}

/// Fetches the database's settings.
///
/// # Errors
/// The SDK's error with all its causes, the names that do not exist, or the value that cannot be parsed.
pub async fn fetch(client: &Client, names: &ParameterNames) -> Result<DatabaseSettings, ParametersError> {
    let output = client
        .get_parameters()
        .set_names(Some(names.database().to_vec()))
        .with_decryption(true)
        .send()
        .await
        .map_err(|error| ParametersError::Call(DisplayErrorContext(error).to_string()))?;
    if !output.invalid_parameters().is_empty() {
        return Err(ParametersError::Missing { names: output.invalid_parameters().join(", ") });
    }
    let values: HashMap<String, String> = output
        .parameters()
        .iter()
        .filter_map(|parameter| Some((parameter.name()?.to_owned(), parameter.value()?.to_owned())))
        .collect();
    Ok(DatabaseSettings::parse(names, &values)?)
}
