//! The X-Ray client: region, credentials, retries and time limits.
//!
//! Apart from the calls so that what is missing is said before the first of them. Invariant: no call of the client waits
//! longer than [`CALL_LIMIT`], its retries included.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_xray::Client;
use aws_sdk_xray::config::ProvideCredentials;
use aws_sdk_xray::error::DisplayErrorContext;

use super::error::FetchError;

/// How long one attempt may take.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(20);
/// How long a call may take with all its retries.
const CALL_LIMIT: Duration = Duration::from_secs(60);
/// Attempts of one call, with the SDK's doubling pauses of up to a second at first. Few, because the next look asks again, and
/// says meanwhile what goes wrong.
const ATTEMPTS: u32 = 3;

/// A client and where it asks.
#[derive(Clone, Debug)]
pub(super) struct XRay {
    pub(super) client: Client,
    pub(super) region: String,
}

/// A client by the SDK's usual chain: environment, shared files (`AWS_PROFILE`), web identity, container, instance.
///
/// # Errors
/// If there is no region or there are no credentials.
pub(super) async fn connect() -> Result<XRay, FetchError> {
    let config = aws_config::defaults(BehaviorVersion::latest())
        // Standard, not adaptive: the looks are paced already, and it never holds a call back when nothing was throttled.
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(ATTEMPT_LIMIT)
                .operation_timeout(CALL_LIMIT)
                .build(),
        )
        .load()
        .await;
    let region = config.region().ok_or(FetchError::NoRegion)?.to_string();
    let missing = |why: String| FetchError::NoCredentials { why };
    let provider =
        config.credentials_provider().ok_or_else(|| missing("no provider is set up".to_owned()))?;
    provider.provide_credentials().await.map_err(|error| missing(DisplayErrorContext(error).to_string()))?;
    Ok(XRay { client: Client::new(&config), region })
}
