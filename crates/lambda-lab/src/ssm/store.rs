//! The parameters, and how one of them looks in an answer.
//!
//! Apart from the operations because all of them give out the same object. Pure. Invariant: the plain value of a
//! `SecureString` leaves only when decryption was asked for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::Parameter;
use crate::aws_json::Refusal;

/// The account in the parameters' ARNs: the one AWS uses in its documentation.
const ACCOUNT: &str = "123456789012";
/// The version of every parameter.
const VERSION: u64 = 1;

/// All parameters by name.
pub(super) struct Store {
    parameters: BTreeMap<String, Stored>,
    since: Timestamp,
}

struct Stored {
    value: String,
    /// Set for a `SecureString`: what is given out without decryption.
    ciphertext: Option<String>,
}

/// A parameter in the service's own words.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Described {
    #[serde(rename = "ARN")]
    arn: String,
    data_type: &'static str,
    /// Seconds since the Unix epoch.
    last_modified_date: f64,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<String>,
    r#type: &'static str,
    value: String,
    version: u64,
}

impl Store {
    pub(super) fn new(parameters: Vec<Parameter>) -> Self {
        let stored = |parameter: Parameter| {
            let ciphertext = parameter.secure.then(|| ciphertext(parameter.value.len()));
            (parameter.name, Stored { value: parameter.value, ciphertext })
        };
        Self { parameters: parameters.into_iter().map(stored).collect(), since: Timestamp::now() }
    }

    /// The parameter that `name`, `name:version` or `name:label` means.
    pub(super) fn get(&self, name: &str, region: &str, decrypt: bool) -> Result<Described, Refusal> {
        let (plain_name, selector) = match name.split_once(':') {
            Some((name, selector)) => (name, Some(selector)),
            None => (name, None),
        };
        let not_found = || Refusal::new("ParameterNotFound", format!("Parameter {name} not found."));
        let stored = self.parameters.get(plain_name).ok_or_else(not_found)?;
        if let Some(wanted) = selector.filter(|selector| *selector != VERSION.to_string()) {
            let message = format!(
                "Systems Manager could not find version {wanted} of {plain_name}. Verify the version and try again."
            );
            return Err(Refusal::new("ParameterVersionNotFound", message));
        }
        let selector = selector.map(|selector| format!(":{selector}"));
        Ok(Described { selector, ..self.describe(plain_name, stored, region, decrypt) })
    }

    /// All parameters below `path` (which begins and ends with a slash), direct children only unless `recursive`, by name.
    pub(super) fn below(&self, path: &str, recursive: bool, region: &str, decrypt: bool) -> Vec<Described> {
        let below = self
            .parameters
            .iter()
            .filter(|(name, _)| name.strip_prefix(path).is_some_and(|rest| recursive || !rest.contains('/')));
        below.map(|(name, stored)| self.describe(name, stored, region, decrypt)).collect()
    }

    fn describe(&self, name: &str, stored: &Stored, region: &str, decrypt: bool) -> Described {
        let (kind, value) = match &stored.ciphertext {
            None => ("String", &stored.value),
            Some(_) if decrypt => ("SecureString", &stored.value),
            Some(ciphertext) => ("SecureString", ciphertext),
        };
        let path = name.trim_start_matches('/');
        Described {
            arn: format!("arn:aws:ssm:{region}:{ACCOUNT}:parameter/{path}"),
            data_type: "text",
            last_modified_date: self.since.as_millisecond() as f64 / 1000.0,
            name: name.to_owned(),
            selector: None,
            r#type: kind,
            value: value.clone(),
            version: VERSION,
        }
    }
}

/// What a value encrypted by KMS looks like (base64, a fixed beginning, longer than the value); random, so it hides it.
fn ciphertext(length: usize) -> String {
    let mut text = "AQICAH".to_owned();
    while text.len() < 200 + length * 4 / 3 {
        text.push_str(&uuid::Uuid::new_v4().simple().to_string());
    }
    text.push_str("==");
    text
}
