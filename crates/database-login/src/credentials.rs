//! The function's own AWS credentials.
//!
//! Apart because Lambda hands them over in the environment: the SDK's chain of providers would look there
//! first too, and brings megabytes for the places after. Invariant: no call leaves the process.

use std::env;

use aws_credential_types::Credentials;

use crate::LoginError;

/// The credentials that Lambda sets: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, unless the keys are a
/// user's own, `AWS_SESSION_TOKEN`.
///
/// # Errors
/// [`LoginError::Variable`] names the first that is missing.
pub fn credentials_from_env() -> Result<Credentials, LoginError> {
    let access_key_id = variable("AWS_ACCESS_KEY_ID")?;
    let secret_access_key = variable("AWS_SECRET_ACCESS_KEY")?;
    let session_token = variable("AWS_SESSION_TOKEN").ok();
    Ok(Credentials::new(access_key_id, secret_access_key, session_token, None, "environment"))
}

/// The environment variable `name`; one that is empty counts as missing.
pub(crate) fn variable(name: &'static str) -> Result<String, LoginError> {
    env::var(name).ok().filter(|value| !value.is_empty()).ok_or(LoginError::Variable { name })
}
