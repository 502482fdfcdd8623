//! A stand-in for AWS Secrets Manager: `GetSecretValue`.
//!
//! Apart from Parameter Store, which it resembles but for names, ARNs and versions; both run over `aws_json`'s endpoint.
//! Shapes: <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>. Invariant: secrets never change
//! while it runs, so every one has one version, with the stage `AWSCURRENT`.

mod store;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use crate::aws_json::EndpointError;
use crate::aws_json::{Endpoint, Refusal, Service, parse, write};
use crate::certificates::Authority;
use store::{Store, Wanted};

/// A running endpoint; dropping it ends it too, without waiting.
pub struct SecretsEndpoint(Endpoint);

impl SecretsEndpoint {
    /// Starts on a free port of 127.0.0.1 with a certificate of `authority`; `secrets` are values by name. Only requests whose
    /// `Authorization` header names `access_key` are answered.
    ///
    /// # Errors
    /// [`EndpointError`] when the certificate cannot be made or no port can be had.
    pub async fn start(
        authority: &Authority,
        secrets: BTreeMap<String, String>,
        access_key: &str,
    ) -> Result<Self, EndpointError> {
        Endpoint::start(authority, SecretsManager(Store::new(secrets)), access_key).await.map(Self)
    }

    /// The port of 127.0.0.1 it listens on.
    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// The endpoint's address, `https://localhost:<port>`, as `AWS_ENDPOINT_URL_SECRETS_MANAGER` wants it.
    pub fn url(&self) -> &str {
        self.0.url()
    }

    /// Calls by operation since the start; refused ones count too, unless the caller was unknown.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        self.0.counters()
    }

    /// Ends it: no new connection is taken, and answers being written get two seconds.
    pub async fn stop(self) {
        self.0.stop().await;
    }
}

struct SecretsManager(Store);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue {
    secret_id: Option<String>,
    version_id: Option<String>,
    version_stage: Option<String>,
}

impl Service for SecretsManager {
    const SIGNING_NAME: &'static str = "secretsmanager";
    const TARGET_PREFIX: &'static str = "secretsmanager.";
    const OPERATIONS: &'static [&'static str] = &["GetSecretValue"];

    fn perform(&self, _operation: &str, region: &str, body: &[u8]) -> Result<String, Refusal> {
        let request: GetSecretValue = parse(body)?;
        let secret_id = request.secret_id.ok_or_else(|| Refusal::null("secretId"))?;
        if secret_id.is_empty() {
            let constraint = "Member must have length greater than or equal to 1";
            return Err(Refusal::constraint("''", "secretId", constraint));
        }
        let wanted = Wanted {
            version_id: request.version_id.as_deref(),
            version_stage: request.version_stage.as_deref(),
        };
        write(&self.0.get(&secret_id, wanted, region)?)
    }
}
