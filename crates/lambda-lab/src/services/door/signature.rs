//! Signature Version 4 of one kind of request: a presigned GET of `/` without a body, whose only signed header is the host.
//!
//! Apart from the token's rules because this is arithmetic that is right or wrong; AWS's own library is the judge in the tests.
//! Own code, on ring (which TLS brings), because `aws-sigv4` signs but does not verify, and would bring 30 crates of the SDK
//! into the lab for forty lines. Invariant: signatures are compared in constant time.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::fmt::Write as _;

use ring::digest::{SHA256, digest};
use ring::hmac::{self, HMAC_SHA256, Key};

/// What the signer of a presigned request put his name to.
pub(super) struct Signed<'a> {
    /// `<host>:<port>`.
    pub(super) endpoint: &'a str,
    /// All parameters but the signature, decoded, sorted by name.
    pub(super) query: &'a [(&'a str, &'a str)],
    /// `X-Amz-Date`.
    pub(super) date: &'a str,
    /// `<day>/<region>/<service>/aws4_request`.
    pub(super) scope: &'a str,
}

impl Signed<'_> {
    /// Whether `signature`, in hexadecimal digits, was made of this request by who knows `secret_access_key`.
    pub(super) fn is_by(&self, secret_access_key: &str, signature: &str) -> bool {
        let Some(signature) = from_hex(signature) else {
            return false;
        };
        let mut key = format!("AWS4{secret_access_key}").into_bytes();
        for part in self.scope.split('/') {
            key = hmac::sign(&Key::new(HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec();
        }
        let key = Key::new(HMAC_SHA256, &key);
        hmac::verify(&key, self.string_to_sign().as_bytes(), &signature).is_ok()
    }

    fn string_to_sign(&self) -> String {
        let request = hash(self.canonical_request().as_bytes());
        format!("AWS4-HMAC-SHA256\n{}\n{}\n{request}", self.date, self.scope)
    }

    fn canonical_request(&self) -> String {
        let pairs = self.query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        let query = pairs.collect::<Vec<_>>().join("&");
        // A Host header has no port that its scheme implies.
        let host = self.endpoint.strip_suffix(":443").unwrap_or(self.endpoint);
        format!("GET\n/\n{query}\nhost:{host}\n\nhost\n{}", hash(b""))
    }
}

fn hash(bytes: &[u8]) -> String {
    to_hex(digest(&SHA256, bytes).as_ref())
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// Escapes all but RFC 3986's unreserved characters.
fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
        encoded
    })
}
