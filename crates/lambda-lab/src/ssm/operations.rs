//! The operations: request JSON in, response JSON out.
//!
//! Apart from the endpoint because they are pure. Invariant: a member that the real service knows and this one does not
//! support is refused by name, never ignored.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::store::{Described, Store};
use crate::aws_json::{Refusal, parse, write};

/// The most parameters one answer of `GetParameters` and one page of `GetParametersByPath` may hold.
const PAGE: usize = 10;

/// The operations that [`perform`] knows.
pub(super) const OPERATIONS: &[&str] = &["GetParameter", "GetParameters", "GetParametersByPath"];

/// Performs `operation` for a caller in `region`.
pub(super) fn perform(store: &Store, operation: &str, region: &str, body: &[u8]) -> Result<String, Refusal> {
    match operation {
        "GetParameter" => get_parameter(store, region, body),
        "GetParameters" => get_parameters(store, region, body),
        _ => get_parameters_by_path(store, region, body),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameter {
    name: Option<String>,
    with_decryption: Option<bool>,
}

fn get_parameter(store: &Store, region: &str, body: &[u8]) -> Result<String, Refusal> {
    let request: GetParameter = parse(body)?;
    let name = request.name.ok_or_else(|| Refusal::null("name"))?;
    let parameter = store.get(&name, region, request.with_decryption.unwrap_or_default())?;
    write(&json!({ "Parameter": parameter }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameters {
    names: Option<Vec<String>>,
    with_decryption: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Parameters {
    invalid_parameters: Vec<String>,
    parameters: Vec<Described>,
}

fn get_parameters(store: &Store, region: &str, body: &[u8]) -> Result<String, Refusal> {
    let request: GetParameters = parse(body)?;
    let names = request.names.ok_or_else(|| Refusal::null("names"))?;
    if names.is_empty() || names.len() > PAGE {
        let constraint = match names.is_empty() {
            true => "Member must have length greater than or equal to 1".to_owned(),
            false => format!("Member must have length less than or equal to {PAGE}"),
        };
        return Err(Refusal::constraint(&format!("'[{}]'", names.join(", ")), "names", &constraint));
    }
    let mut answer = Parameters { invalid_parameters: Vec::new(), parameters: Vec::new() };
    for name in names {
        match store.get(&name, region, request.with_decryption.unwrap_or_default()) {
            Ok(parameter) => answer.parameters.push(parameter),
            Err(_) => answer.invalid_parameters.push(name),
        }
    }
    write(&answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetParametersByPath {
    path: Option<String>,
    recursive: Option<bool>,
    with_decryption: Option<bool>,
    max_results: Option<usize>,
    next_token: Option<String>,
    parameter_filters: Option<Vec<Value>>,
}

fn get_parameters_by_path(store: &Store, region: &str, body: &[u8]) -> Result<String, Refusal> {
    let request: GetParametersByPath = parse(body)?;
    let path = request.path.ok_or_else(|| Refusal::null("path"))?;
    if !path.starts_with('/') {
        return Err(Refusal::validation(format!("The parameter path must begin with '/': {path}")));
    }
    if request.parameter_filters.is_some_and(|filters| !filters.is_empty()) {
        return Err(Refusal::new("InvalidFilterKey", "This endpoint does not support ParameterFilters."));
    }
    let size = request.max_results.unwrap_or(PAGE);
    if !(1..=PAGE).contains(&size) {
        let constraint = format!("Member must have value between 1 and {PAGE}");
        return Err(Refusal::constraint(&format!("'{size}'"), "maxResults", &constraint));
    }
    let start: usize = match request.next_token {
        None => 0,
        Some(token) => {
            token.parse().map_err(|_| Refusal::new("InvalidNextToken", "The specified token isn't valid."))?
        }
    };
    let path = format!("{}/", path.trim_end_matches('/'));
    let decrypt = request.with_decryption.unwrap_or_default();
    let all = store.below(&path, request.recursive.unwrap_or_default(), region, decrypt);
    let end = all.len().min(start.saturating_add(size));
    let page = all.get(start..end).unwrap_or_default();
    // Real tokens are opaque; this one is the place where the next page begins.
    if end < all.len() {
        return write(&json!({ "NextToken": end.to_string(), "Parameters": page }));
    }
    write(&json!({ "Parameters": page }))
}
