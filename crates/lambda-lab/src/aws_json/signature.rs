//! Who calls: the `Authorization` header of Signature Version 4.
//!
//! Apart because it is the one place where this endpoint is more lenient than the real one: it reads the header and never
//! computes the signature, since the secret key of a local run protects nothing. Invariant: a request without the lab's own
//! access key learns nothing.

use axum::http::{HeaderMap, header};

use super::refusal::Refusal;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The region the caller signed for.
pub(super) fn region(headers: &HeaderMap, access_key: &str, signing_name: &str) -> Result<String, Refusal> {
    let missing = || Refusal::new("MissingAuthenticationTokenException", "Missing Authentication Token");
    let header = headers.get(header::AUTHORIZATION).ok_or_else(missing)?;
    let text = header.to_str().map_err(|_| incomplete("is not ASCII"))?;
    let fields =
        text.strip_prefix(ALGORITHM).ok_or_else(|| incomplete("does not begin with AWS4-HMAC-SHA256"))?;
    let field = |name: &str| {
        let mut fields = fields.split(',').filter_map(|field| field.trim().split_once('='));
        fields.find_map(|(key, value)| (key == name && !value.is_empty()).then_some(value))
    };
    let credential = field("Credential").ok_or_else(|| incomplete("requires 'Credential' parameter."))?;
    field("SignedHeaders").ok_or_else(|| incomplete("requires 'SignedHeaders' parameter."))?;
    field("Signature").ok_or_else(|| incomplete("requires 'Signature' parameter."))?;
    let [key, _date, region, service, "aws4_request"] = credential.split('/').collect::<Vec<_>>()[..] else {
        let form = format!("'Credential' must be <access key>/<date>/<region>/{signing_name}/aws4_request.");
        return Err(incomplete(&form));
    };
    if key != access_key {
        let message = "The security token included in the request is invalid.";
        return Err(Refusal::new("UnrecognizedClientException", message));
    }
    if service != signing_name {
        let message =
            format!("Credential should be scoped to correct service: '{signing_name}', not '{service}'.");
        return Err(Refusal::new("InvalidSignatureException", message));
    }
    Ok(region.to_owned())
}

fn incomplete(what: &str) -> Refusal {
    Refusal::new("IncompleteSignatureException", format!("Authorization header {what}"))
}
