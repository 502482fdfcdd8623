//! A trace's id, `1-<8 hex: seconds since 1970>-<24 hex>`.
//!
//! Apart because the ids come from files and answers, and a wrong one would make X-Ray refuse the others of its call.
//! Invariant: what is a [`TraceId`] has X-Ray's form.

use std::fmt;
use std::str::FromStr;

/// A well-formed id. Sorts by the time within it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct TraceId(String);

/// What is none.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no trace id, 1-<8 hex digits>-<24 hex digits>")]
pub(super) struct NoTraceId(String);

impl TraceId {
    /// When its trace began, in seconds since the Unix epoch, as who made the id says.
    pub(super) fn unix_seconds(&self) -> i64 {
        // The form was checked: eight hex digits always fit.
        i64::from_str_radix(&self.0[2..10], 16).unwrap_or_default()
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TraceId {
    type Err = NoTraceId;

    fn from_str(text: &str) -> Result<Self, NoTraceId> {
        let hex = |part: Option<&str>, digits: usize| {
            part.is_some_and(|part| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        let mut parts = text.split('-');
        let version = parts.next() == Some("1");
        if version && hex(parts.next(), 8) && hex(parts.next(), 24) && parts.next().is_none() {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(NoTraceId(text.chars().take(60).collect()))
        }
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_its_time_and_what_is_none_is_refused() {
        let id: TraceId = "1-5759E988-bd862e3fe1be46a994272793".parse().unwrap();
        assert_eq!(id.as_str(), "1-5759e988-bd862e3fe1be46a994272793");
        assert_eq!(id.unix_seconds(), 1_465_510_280);
        let wrong = [
            "",
            "1-5759e988",
            "2-5759e988-bd862e3fe1be46a994272793",
            "1-5759e988-bd862e3fe1be46a99427279",
            "1-5759e988-bd862e3fe1be46a994272793-",
            "1-5759e98g-bd862e3fe1be46a994272793",
            "1-5759e988-bd862e3fe1be46a9942727\u{e9}",
        ];
        for text in wrong {
            assert!(text.parse::<TraceId>().is_err(), "{text}");
        }
    }
}
