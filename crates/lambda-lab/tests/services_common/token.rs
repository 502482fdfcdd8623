//! Tokens as functions sign them: by AWS's own signer, for the very second.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use lambda_lab::services::DatabaseIam;

/// Whom the database of a test lets in.
pub(crate) fn iam() -> DatabaseIam {
    DatabaseIam {
        access_key_id: "ASIAIOSFODNN7EXAMPLE".to_owned(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        session_token: Some(
            "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMSJIMEYCIQ+abc/def+ghi==".to_owned(),
        ),
        region: "us-east-1".to_owned(),
    }
}

/// A token for `user` at the database that `values` tell of, signed `age` ago.
pub(crate) fn token(values: &BTreeMap<String, String>, user: &str, age: Duration) -> String {
    let iam = iam();
    let credentials =
        Credentials::new(iam.access_key_id, iam.secret_access_key, iam.session_token, None, "test").into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(Duration::from_secs(900));
    let parameters = v4::SigningParams::builder()
        .identity(&credentials)
        .region("us-east-1")
        .name("rds-db")
        .time(SystemTime::now() - age)
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let address = format!("{}:{}", values["database.host"], values["database.port"]);
    let url = format!("https://{address}/?Action=connect&DBUser={user}");
    let request = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::empty()).unwrap();
    let (instructions, _) = sign(request, &parameters).unwrap().into_parts();
    let mut url = http::Request::get(url).body(()).unwrap();
    instructions.apply_to_request_http1x(&mut url);
    url.uri().to_string().strip_prefix("https://").unwrap().to_owned()
}
