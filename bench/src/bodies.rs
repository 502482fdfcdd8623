//! Same work, or no verdict: every variant's answer is compared before anything is timed.
//!
//! Apart from the phases because it is a gate, not a measurement. Invariant: a run that passes has status 200 and byte-equal
//! bodies from every variant.

use bytes::Bytes;
use http::{StatusCode, Uri};

use crate::client::{Client, TIME_LIMIT, TraceContext, Unanswered, get};

/// How many bytes of a differing body are shown on each side of the difference.
const EXCERPT: usize = 40;

/// Why the variants cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum BodiesError {
    /// A variant gave no answer.
    #[error("variant {variant:?} at {uri}: {source}")]
    Unanswered {
        /// The variant.
        variant: String,
        /// Its address.
        uri: String,
        /// Why.
        source: Unanswered,
    },
    /// A variant answered with another status than 200.
    #[error("variant {variant:?} at {uri} answered {status}: {excerpt}")]
    Status {
        /// The variant.
        variant: String,
        /// Its address.
        uri: String,
        /// What it answered.
        status: StatusCode,
        /// The beginning of its body.
        excerpt: String,
    },
    /// Two variants answered differently.
    #[error(
        "variants {first:?} and {other:?} do not the same work: bodies of {first_bytes} and {other_bytes} bytes differ at byte {at}: {first_excerpt:?} against {other_excerpt:?}"
    )]
    Differ {
        /// The experiment's first variant.
        first: String,
        /// The one that differs from it.
        other: String,
        /// Length of the first's body.
        first_bytes: usize,
        /// Length of the other's body.
        other_bytes: usize,
        /// Offset of the first byte that differs.
        at: usize,
        /// The first's bytes around it.
        first_excerpt: String,
        /// The other's bytes around it.
        other_excerpt: String,
    },
}

impl BodiesError {
    /// The variant whose log tells more, where one variant is at fault.
    pub fn variant(&self) -> Option<&str> {
        match self {
            Self::Unanswered { variant, .. } | Self::Status { variant, .. } => Some(variant),
            Self::Differ { .. } => None,
        }
    }
}

/// Sends one request to each of `variants` (name and address) and compares the answers with the first's.
///
/// # Errors
/// The first variant that does not answer 200 with the same bytes.
pub async fn check(variants: &[(String, Uri)]) -> Result<(), BodiesError> {
    let client = Client::new(TIME_LIMIT);
    let mut first: Option<(&str, Bytes)> = None;
    for (name, uri) in variants {
        let body = fetch(&client, name, uri).await?;
        match &first {
            None => first = Some((name, body)),
            Some((first_name, expected)) => compare(first_name, expected, name, &body)?,
        }
    }
    Ok(())
}

async fn fetch(client: &Client, name: &str, uri: &Uri) -> Result<Bytes, BodiesError> {
    let outcome = client.exchange(get(uri, &TraceContext::random(false))).await;
    let (variant, uri) = (name.to_owned(), uri.to_string());
    match outcome {
        Ok((StatusCode::OK, body)) => Ok(body),
        Ok((status, body)) => Err(BodiesError::Status { variant, uri, status, excerpt: around(&body, 0) }),
        Err(source) => Err(BodiesError::Unanswered { variant, uri, source }),
    }
}

fn compare(first: &str, expected: &[u8], other: &str, body: &[u8]) -> Result<(), BodiesError> {
    if expected == body {
        return Ok(());
    }
    let at = expected.iter().zip(body).take_while(|(left, right)| left == right).count();
    Err(BodiesError::Differ {
        first: first.to_owned(),
        other: other.to_owned(),
        first_bytes: expected.len(),
        other_bytes: body.len(),
        at,
        first_excerpt: around(expected, at),
        other_excerpt: around(body, at),
    })
}

fn around(body: &[u8], at: usize) -> String {
    let from = at.saturating_sub(EXCERPT / 2);
    let to = (at + EXCERPT).min(body.len());
    String::from_utf8_lossy(&body[from.min(to)..to]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_with_its_place_and_both_sides() {
        let error = compare("baseline", b"[{\"capacity\":1}]", "optimized", b"[{\"capacity\":2}, 3]");
        let message = error.unwrap_err().to_string();
        for part in ["baseline", "optimized", "16 and 19 bytes", "at byte 13", ":1}", ":2}, 3"] {
            assert!(message.contains(part), "{part:?} is missing in: {message}");
        }
    }

    #[test]
    fn a_body_that_is_the_others_beginning_differs_at_its_end() {
        let error = compare("a", b"same", "b", b"same and more").unwrap_err();
        assert!(matches!(error, BodiesError::Differ { at: 4, .. }), "{error}");
        let error = compare("a", b"something", "b", b"").unwrap_err();
        assert!(matches!(error, BodiesError::Differ { at: 0, .. }), "{error}");
        compare("a", b"same", "b", b"same").unwrap();
    }
}
