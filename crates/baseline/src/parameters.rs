//! Parameters by the AWS SDK: one `GetParameters` call for all names.
//!
//! Apart from the database because this is what the extension replaces in the optimized function. Invariant: settings are
//! complete and valid, or there are none.

use std::collections::HashMap;

use aws_config::BehaviorVersion;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::error::{DisplayErrorContext, SdkError};
use aws_sdk_ssm::operation::RequestId;
use aws_sdk_ssm::operation::get_parameters::{GetParametersError, GetParametersOutput};
use stadium_core::{DatabaseSettings, ParameterNames, SettingsError};
use telemetry::InStep;
use tracing::Span;
use tracing::field::Empty;

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
    let values = fetch_values(client, names.database().to_vec()).await?;
    Ok(DatabaseSettings::parse(names, &values)?)
}

/// Fetches the parameters called `names`, at most ten, keyed by their names.
///
/// # Errors
/// As [`fetch`], the values' own apart.
pub async fn fetch_values(
    client: &Client,
    names: Vec<String>,
) -> Result<HashMap<String, String>, ParametersError> {
    let call = telemetry::step!(
        "SSM",
        otel.kind = "client",
        rpc.system = "aws-api",
        rpc.method = "GetParameters",
        cloud.region = client.config().region().map(AsRef::as_ref),
        aws.request_id = Empty,
        http.response.status_code = Empty,
    );
    let sent = async {
        let sent = client.get_parameters().set_names(Some(names)).with_decryption(true).send().await;
        trace_answer(&sent);
        sent.map_err(|error| ParametersError::Call(DisplayErrorContext(error).to_string()))
    };
    let output = sent.in_step(call).await?;
    if !output.invalid_parameters().is_empty() {
        return Err(ParametersError::Missing { names: output.invalid_parameters().join(", ") });
    }
    let values = output
        .parameters()
        .iter()
        .filter_map(|parameter| Some((parameter.name()?.to_owned(), parameter.value()?.to_owned())));
    Ok(values.collect())
}

/// Tells the trace what AWS needs to find the call again.
fn trace_answer(sent: &Result<GetParametersOutput, SdkError<GetParametersError>>) {
    let span = Span::current();
    let (request_id, status) = match sent {
        Ok(output) => (output.request_id(), Some(200)),
        Err(error) => (error.request_id(), error.raw_response().map(|response| response.status().as_u16())),
    };
    span.record("aws.request_id", request_id);
    span.record("http.response.status_code", status);
}
