//! What the functions find around them: servers, parameters, secrets, credentials and the addresses of the lab's endpoints.
//!
//! Apart from starting the functions, which are given all of it as values. Invariant: an experiment that names no server starts
//! none.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::LabError;
use super::error::prepare;
use crate::certificates::Authority;
use crate::distance::{DelayLines, Dependency};
use crate::experiment::{Experiment, ExperimentError, expand};
use crate::function::{Credentials, REGION};
use crate::services::run_dir::RunDir;
use crate::services::{DatabaseIam, Services};
use crate::ssm::Parameter;

pub(super) async fn start_services(
    experiment: &Experiment,
    run_dir: &RunDir,
    authority: &Authority,
    credentials: &Credentials,
) -> Result<Option<Services>, LabError> {
    if !experiment.uses_services() {
        return Ok(None);
    }
    let iam = DatabaseIam {
        access_key_id: credentials.access_key_id.clone(),
        secret_access_key: credentials.secret_access_key.clone(),
        session_token: Some(credentials.session_token.clone()),
        region: REGION.to_owned(),
    };
    let services = Services::start(run_dir.path(), authority, &iam).await;
    services.map(Some).map_err(|error| LabError::Service(error.to_string()))
}

/// Gives the functions the near ends of delay lines as the ports of the database and the cache.
pub(super) fn put_at_a_distance(
    distance: &mut DelayLines,
    services: Option<&Services>,
    values: &mut BTreeMap<String, String>,
) -> Result<(), LabError> {
    let Some(services) = services else { return Ok(()) };
    for (dependency, key) in [(Dependency::Database, "database.port"), (Dependency::Cache, "cache.port")] {
        if let Some(port) = values.get_mut(key) {
            let far = port.parse().map_err(prepare)?;
            let near = distance.port_before(dependency, far).map_err(prepare)?;
            if dependency == Dependency::Database {
                // Tokens are signed for the port that the functions see.
                services.advertise_database_port(near);
            }
            *port = near.to_string();
        }
    }
    Ok(())
}

pub(super) fn parameters(
    experiment: &Experiment,
    values: &BTreeMap<String, String>,
) -> Result<Vec<Parameter>, ExperimentError> {
    let filled = experiment.parameters.iter().map(|template| {
        let value = expand(&template.value, values)?;
        Ok(Parameter { name: template.name.clone(), value, secure: template.secure })
    });
    filled.collect()
}

pub(super) fn secrets(
    experiment: &Experiment,
    values: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ExperimentError> {
    let secrets = experiment.secrets.iter();
    secrets.map(|(name, template)| Ok((name.clone(), expand(template, values)?))).collect()
}

/// What points a function's AWS clients at the lab, as `AWS_ENDPOINT_URL_*` and `SSL_CERT_FILE` do for any SDK.
pub(super) fn platform_env(
    ssm_port: u16,
    secrets_port: u16,
    values: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let url = |port: u16| format!("https://localhost:{port}");
    let mut env = BTreeMap::from([
        ("AWS_ENDPOINT_URL_SSM".to_owned(), url(ssm_port)),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), url(secrets_port)),
    ]);
    if let Some(bundle) = values.get("ca.bundle") {
        // OpenSSL and rustls, botocore, Node.
        for variable in ["SSL_CERT_FILE", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
            env.insert(variable.to_owned(), bundle.clone());
        }
    }
    env
}

pub(super) fn new_credentials() -> Credentials {
    let random = || Uuid::new_v4().simple().to_string();
    Credentials {
        access_key_id: format!("ASIA{}", &random().to_ascii_uppercase()[..16]),
        secret_access_key: random(),
        session_token: random(),
    }
}
