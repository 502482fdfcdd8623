//! The RDS IAM token, judged as RDS judges it: a presigned `GET https://<host>:<port>/?Action=connect&DBUser=<user>`.
//!
//! Apart from the connection because it is pure: a token, what it must be good for, and a time go in; the reason of a refusal
//! comes out, for the lab's user alone (a client is told no reason, see [`super::refusal`]). Invariant: nothing is taken from
//! a token before its signature, except to say what is wrong with it, and no reason holds a secret.
//!
//! The format and the 15 minutes: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html>. That a
//! longer X-Amz-Expires is refused, not shortened: <https://github.com/aws/aws-sdk-java/issues/2617>.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::signature;

/// The longest that a token may live.
const LONGEST_LIFE: Duration = Duration::from_secs(15 * 60);
/// How far ahead of ours the signer's clock may be; the services that take SigV4 allow five minutes.
const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The service name in the credential's scope.
const SERVICE: &str = "rds-db";
const SIGNATURE: &str = "X-Amz-Signature";

/// The credentials whose tokens open the database, and the region it is in.
#[derive(Clone)]
pub struct DatabaseIam {
    /// Such as `ASIA..`.
    pub access_key_id: String,
    /// What tokens are signed with.
    pub secret_access_key: String,
    /// Part of every token of temporary credentials; none for a user's own, which must then have none.
    pub session_token: Option<String>,
    /// Such as `us-east-1`.
    pub region: String,
}

impl std::fmt::Debug for DatabaseIam {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "DatabaseIam({} in {})", self.access_key_id, self.region)
    }
}

/// What a token must be good for.
pub(super) struct Login<'a> {
    /// `<host>:<port>` as clients were given it.
    pub(super) endpoint: &'a str,
    /// The user of the start-up message.
    pub(super) user: &'a str,
}

/// Why a token does not open the database: for the lab's user.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    #[error("it is no RDS IAM token, which begins with <host>:<port>/?Action=connect&DBUser=<user>")]
    NotAToken,
    #[error("it has no {0}, or more than one")]
    Parameter(&'static str),
    #[error("its {name} is {value:?}, not {expected}")]
    Value { name: &'static str, value: String, expected: String },
    #[error(
        "it was signed for {signed:?}, and this database is {ours:?}: sign for the host and port you connect to"
    )]
    Endpoint { signed: String, ours: String },
    #[error("it was signed for the user {signed:?}, and {user:?} logs in")]
    User { signed: String, user: String },
    #[error("it was signed by the access key {0:?}, which is not the function's: use AWS_ACCESS_KEY_ID")]
    AccessKey(String),
    #[error("its X-Amz-Security-Token is not the function's: sign with AWS_SESSION_TOKEN")]
    SessionToken,
    #[error("it expired {0:?} ago: sign a new one for each new connection")]
    Expired(Duration),
    #[error("it is from {0:?} in the future: set the clock right")]
    FromTheFuture(Duration),
    #[error(
        "its signature does not match: sign with AWS_SECRET_ACCESS_KEY, and hand the token over unchanged"
    )]
    Signature,
}

/// Whether `token` opens the database for `login` at the time `now`.
pub(super) fn verify(
    token: &str,
    login: &Login<'_>,
    iam: &DatabaseIam,
    now: SystemTime,
) -> Result<(), TokenError> {
    let (endpoint, query) = token.split_once("/?").ok_or(TokenError::NotAToken)?;
    let parameters = Parameters::parse(query)?;
    if endpoint != login.endpoint {
        return Err(TokenError::Endpoint { signed: endpoint.to_owned(), ours: login.endpoint.to_owned() });
    }
    parameters.expect("Action", "connect")?;
    parameters.expect("X-Amz-Algorithm", ALGORITHM)?;
    parameters.expect("X-Amz-SignedHeaders", "host")?;
    let user = parameters.get("DBUser")?;
    if user != login.user {
        return Err(TokenError::User { signed: user.to_owned(), user: login.user.to_owned() });
    }
    let (date, expires) = (parameters.get("X-Amz-Date")?, parameters.get("X-Amz-Expires")?);
    let scope = check_credential(parameters.get("X-Amz-Credential")?, date, &iam.region, &iam.access_key_id)?;
    if parameters.optional("X-Amz-Security-Token") != iam.session_token.as_deref() {
        return Err(TokenError::SessionToken);
    }
    let signature = parameters.get(SIGNATURE)?;
    let signed = signature::Signed { endpoint, query: &parameters.without_signature(), date, scope };
    if !signed.is_by(&iam.secret_access_key, signature) {
        return Err(TokenError::Signature);
    }
    check_time(date, expires, now)
}

/// A token's parameters, decoded; each once.
struct Parameters(BTreeMap<String, String>);

impl Parameters {
    fn parse(query: &str) -> Result<Self, TokenError> {
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if parameters.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(TokenError::NotAToken);
            }
        }
        Ok(Self(parameters))
    }

    fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn get(&self, name: &'static str) -> Result<&str, TokenError> {
        self.optional(name).ok_or(TokenError::Parameter(name))
    }

    fn expect(&self, name: &'static str, expected: &str) -> Result<(), TokenError> {
        let value = self.get(name)?;
        if value == expected { Ok(()) } else { Err(wrong(name, value, expected)) }
    }

    fn without_signature(&self) -> Vec<(&str, &str)> {
        let all = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        all.filter(|(name, _)| *name != SIGNATURE).collect()
    }
}

fn wrong(name: &'static str, value: &str, expected: impl Into<String>) -> TokenError {
    TokenError::Value { name, value: value.to_owned(), expected: expected.into() }
}

/// `<access key>/<day>/<region>/rds-db/aws4_request`; returns all after the access key.
fn check_credential<'a>(
    credential: &'a str,
    date: &str,
    region: &str,
    access_key_id: &str,
) -> Result<&'a str, TokenError> {
    let day = date.get(..8).unwrap_or_default();
    let expected = format!("{day}/{region}/{SERVICE}/aws4_request");
    match credential.split_once('/') {
        Some((key, _)) if key != access_key_id => Err(TokenError::AccessKey(key.to_owned())),
        Some((_, scope)) if scope == expected => Ok(scope),
        _ => {
            let expected = format!("{access_key_id}/{expected} (the database's region is {region})");
            Err(wrong("X-Amz-Credential", credential, expected))
        }
    }
}

fn check_time(date: &str, expires: &str, now: SystemTime) -> Result<(), TokenError> {
    let signed_at = parse_date(date).ok_or_else(|| wrong("X-Amz-Date", date, "such as 20260102T030405Z"))?;
    let life = expires.parse().ok().map(Duration::from_secs).filter(|life| *life <= LONGEST_LIFE);
    let life = life.ok_or_else(|| wrong("X-Amz-Expires", expires, "a number of seconds up to 900"))?;
    match now.duration_since(signed_at) {
        Ok(age) if age > life => Err(TokenError::Expired(age - life)),
        Err(ahead) if ahead.duration() > CLOCK_SKEW => Err(TokenError::FromTheFuture(ahead.duration())),
        _ => Ok(()),
    }
}

fn parse_date(text: &str) -> Option<SystemTime> {
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().into())
}
