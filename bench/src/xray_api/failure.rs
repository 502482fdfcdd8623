//! What a failed call means: will it pass, or must somebody do something?
//!
//! Apart from the calls because all of them fail alike. The SDK has repeated the call already when it ends here. Invariant:
//! whatever cannot be told to be somebody's to mend counts as passing, and only time ends the wait for it.

use aws_sdk_xray::config::http::HttpResponse;
use aws_sdk_xray::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use super::error::FetchError;

/// A call that gave no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// Throttled, not reached, or the service's own trouble: worth another try later.
    Passing {
        /// The call.
        operation: &'static str,
        /// The region.
        region: String,
        /// What happened.
        why: String,
    },
    /// Nothing that waiting mends.
    Fatal(FetchError),
}

impl From<Failure> for FetchError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Passing { operation, region, why } => Self::Unavailable { operation, region, why },
            Failure::Fatal(error) => error,
        }
    }
}

/// Codes that mean that nobody is signed in. Source: "Common Errors" of the X-Ray API reference, and AWS's signing guide.
const CREDENTIALS: [&str; 8] = [
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "ExpiredToken",
    "ExpiredTokenException",
    "MissingAuthenticationTokenException",
];
/// Codes that mean too many calls. `ThrottledException` is X-Ray's own.
const THROTTLING: [&str; 4] =
    ["ThrottledException", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"];

/// Sorts the failure of `operation` in `region`; `mend` is another way to the goal, told where AWS says no.
pub(super) fn sort<Error>(
    operation: &'static str,
    region: &str,
    mend: &'static str,
    error: SdkError<Error, HttpResponse>,
) -> Failure
where
    Error: std::error::Error + ProvideErrorMetadata + 'static,
{
    let region = region.to_owned();
    let SdkError::ServiceError(answer) = &error else {
        let why = DisplayErrorContext(error).to_string();
        return Failure::Passing { operation, region, why };
    };
    let status = answer.raw().status().as_u16();
    let code = answer.err().code().unwrap_or("no error code");
    let message = answer.err().message().unwrap_or("no message");
    let why = format!("{code}, HTTP {status}: {message}");
    if THROTTLING.contains(&code) || status == 429 || status >= 500 {
        Failure::Passing { operation, region, why }
    } else if CREDENTIALS.contains(&code) {
        Failure::Fatal(FetchError::BadCredentials { operation, region, why })
    } else if code.starts_with("AccessDenied") || status == 403 {
        Failure::Fatal(FetchError::Denied { operation, region, why, mend })
    } else {
        Failure::Fatal(FetchError::Refused { operation, region, why, mend })
    }
}
