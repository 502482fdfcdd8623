//! The RDS IAM token: a presigned request that stands in for a password.
//!
//! Apart from the PostgreSQL client because it is pure: names, credentials and a clock in, a text out. It is
//! what `aws rds generate-db-auth-token` prints, but for the parameters' order, and spares us the RDS SDK.
//! Invariant: a token is valid for 15 minutes from `now`, for one user at one endpoint; the server checks it
//! when a connection opens, never again.

use std::error::Error;
use std::fmt;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use rustls::pki_types::ServerName;

use crate::LoginError;

/// The longest that RDS lets a token live.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// What a token is good for.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint<'a> {
    /// The host name that the client connects to: RDS Proxy's, if it stands in front.
    pub host: &'a str,
    /// The port that the client connects to.
    pub port: u16,
    /// The database role that logs in.
    pub user: &'a str,
    /// The AWS region of the database.
    pub region: &'a str,
}

/// A password for [`Endpoint::user`] for the next 15 minutes; its `Debug` is `Token(..)`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The token itself, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(..)")
    }
}

/// Signs a token for `endpoint` that is valid from `now`. No call is made: whether AWS lets the role log in
/// shows when it does.
///
/// # Errors
/// [`LoginError::Unsignable`] if the host is not a host name or an IPv4 address alone.
pub fn auth_token(
    endpoint: &Endpoint<'_>,
    credentials: &Credentials,
    now: SystemTime,
) -> Result<Token, LoginError> {
    presign(endpoint, credentials, now)
        .map(Token)
        .map_err(|source| LoginError::Unsignable { host: endpoint.host.to_owned(), source })
}

/// The presigned URL of `GET https://<host>:<port>/?Action=connect&DBUser=<user>`, without its scheme as RDS
/// wants it.
fn presign(
    endpoint: &Endpoint<'_>,
    credentials: &Credentials,
    now: SystemTime,
) -> Result<String, Box<dyn Error + Send + Sync>> {
    // A host such as `db/x` would otherwise move the port into the path and sign for somewhere else.
    ServerName::try_from(endpoint.host)?;
    let mut url = format!("https://{}:{}/?Action=connect", endpoint.host, endpoint.port);
    append(&mut url, "DBUser", endpoint.user);

    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(LIFETIME);
    let identity = credentials.clone().into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(endpoint.region)
        .name("rds-db")
        .time(now)
        .settings(settings)
        .build()?
        .into();

    let request = SignableRequest::new("GET", url.as_str(), std::iter::empty(), SignableBody::empty())?;
    let (instructions, _signature) = sign(request, &parameters)?.into_parts();
    for (name, value) in instructions.params() {
        append(&mut url, name, value);
    }
    Ok(url.split_off("https://".len()))
}

/// Appends `&name=value`, escaping all but RFC 3986's unreserved characters as SigV4 demands (a blank is
/// `%20`, never `+`).
fn append(url: &mut String, name: &str, value: &str) {
    url.push('&');
    url.push_str(name);
    url.push('=');
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => url.push(char::from(byte)),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
}
