//! The secrets, and how one of them is found and looks in an answer.
//!
//! Apart from the protocol because it is pure. Invariant: a secret is found by its name, its whole ARN, or its ARN without the six
//! random characters, and by nothing else.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::aws_json::Refusal;
use crate::function::ACCOUNT;

const CURRENT: &str = "AWSCURRENT";

/// All secrets by name.
pub(super) struct Store {
    secrets: BTreeMap<String, Stored>,
    since: Timestamp,
}

struct Stored {
    value: String,
    version_id: String,
    /// What Secrets Manager appends to the name in the ARN.
    suffix: String,
}

/// Which version of a secret is asked for; the current one where nothing is said.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted<'a> {
    pub(super) version_id: Option<&'a str>,
    pub(super) version_stage: Option<&'a str>,
}

/// A secret in the service's own words.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SecretValue {
    #[serde(rename = "ARN")]
    arn: String,
    /// Seconds since the Unix epoch.
    created_date: f64,
    name: String,
    secret_string: String,
    version_id: String,
    version_stages: [&'static str; 1],
}

impl Store {
    pub(super) fn new(secrets: BTreeMap<String, String>) -> Self {
        let stored = |(name, value): (String, String)| {
            let random = Uuid::new_v4().simple().to_string();
            let stored =
                Stored { value, version_id: Uuid::new_v4().to_string(), suffix: random[..6].to_owned() };
            (name, stored)
        };
        Self { secrets: secrets.into_iter().map(stored).collect(), since: Timestamp::now() }
    }

    /// The secret that `secret_id` names.
    pub(super) fn get(
        &self,
        secret_id: &str,
        wanted: Wanted<'_>,
        region: &str,
    ) -> Result<SecretValue, Refusal> {
        let (name, stored) = self.find(secret_id, region).ok_or_else(|| not_found("."))?;
        match (wanted.version_id, wanted.version_stage) {
            (Some(id), _) if id != stored.version_id => {
                return Err(not_found(&format!(" value for VersionId: {id}")));
            }
            (_, Some(stage)) if stage != CURRENT => {
                return Err(not_found(&format!(" value for staging label: {stage}")));
            }
            _ => {}
        }
        Ok(SecretValue {
            arn: format!("{}-{}", partial_arn(name, region), stored.suffix),
            created_date: self.since.as_millisecond() as f64 / 1000.0,
            name: name.to_owned(),
            secret_string: stored.value.clone(),
            version_id: stored.version_id.clone(),
            version_stages: [CURRENT],
        })
    }

    fn find(&self, secret_id: &str, region: &str) -> Option<(&str, &Stored)> {
        let name = match secret_id.strip_prefix(&partial_arn("", region)) {
            None => secret_id,
            Some(rest) if self.secrets.contains_key(rest) => rest,
            Some(rest) => {
                let (name, suffix) = rest.rsplit_once('-')?;
                self.secrets.get(name).filter(|stored| stored.suffix == suffix).map(|_| name)?
            }
        };
        self.secrets.get_key_value(name).map(|(name, stored)| (name.as_str(), stored))
    }
}

fn partial_arn(name: &str, region: &str) -> String {
    format!("arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:{name}")
}

/// The service's words for all that is not there.
fn not_found(what: &str) -> Refusal {
    Refusal::capital(
        "ResourceNotFoundException",
        format!("Secrets Manager can't find the specified secret{what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGION: &str = "eu-central-1";

    #[test]
    fn a_secret_is_found_by_name_and_arn_and_by_nothing_else() {
        let store = Store::new(BTreeMap::from([("db/main".to_owned(), "{}".to_owned())]));
        let get = |id: &str| store.get(id, Wanted::default(), REGION);
        let found = get("db/main").unwrap();
        assert_eq!(found.arn.len(), partial_arn("db/main-123456", REGION).len());
        assert_eq!(get(&found.arn).unwrap(), found);
        assert_eq!(get(&partial_arn("db/main", REGION)).unwrap(), found);
        for id in ["db", "db/main-", "DB/MAIN", "db/main-aaaaaa", &partial_arn("db/main-zzzzzz", REGION)] {
            assert_eq!(get(id), Err(not_found(".")), "{id}");
        }
        assert_eq!(store.get(&found.arn, Wanted::default(), "us-east-1"), Err(not_found(".")));
    }
}
