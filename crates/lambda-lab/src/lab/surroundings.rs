//! What the functions find around them: servers, parameters, secrets, credentials and the addresses of the lab's endpoints.
//!
//! Apart from starting the functions, which are given all of it as values. Invariant: an experiment that names no server starts
//! none.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::LabError;
use crate::certificates::Authority;
use crate::experiment::{Experiment, ExperimentError, expand};
use crate::function::{Credentials, REGION};
use crate::secrets::SecretsEndpoint;
use crate::services::{DatabaseIam, Services};
use crate::services::run_dir::RunDir;
use crate::ssm::{Parameter, SsmEndpoint};

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
    ssm: &SsmEndpoint,
    secrets: &SecretsEndpoint,
    values: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut env = BTreeMap::from([
        ("AWS_ENDPOINT_URL_SSM".to_owned(), ssm.url().to_owned()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), secrets.url().to_owned()),
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
