//! The calls to Systems Manager and Secrets Manager: one signed POST each, over HTTPS.
//!
//! Apart because it is all that knows AWS's wire: the JSON 1.1 protocol needs no SDK. The TLS client is made with the first
//! call, so that the extension's own start reads no certificates. Invariant: a call is signed with the function's credentials
//! for its region, and its answer is the service's own, in one piece, of at most 1 MiB.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::OnceCell;

use crate::settings::{ServiceSettings, Settings};

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
/// Values are at most 64 KiB; more is not an answer of the service.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// Long enough for a burst of reads to share connections, short enough not to meet one that the network has forgotten.
const IDLE_CONNECTION: Duration = Duration::from_secs(10);

/// Which service a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Service {
    Parameters,
    Secrets,
}

impl Service {
    const fn signing_name(self) -> &'static str {
        match self {
            Self::Parameters => "ssm",
            Self::Secrets => "secretsmanager",
        }
    }

    const fn target(self) -> &'static str {
        match self {
            Self::Parameters => "AmazonSSM.GetParameter",
            Self::Secrets => "secretsmanager.GetSecretValue",
        }
    }
}

/// One call: the service, and the JSON that it is sent. Equal requests mean the same value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    pub(crate) service: Service,
    pub(crate) body: Arc<str>,
}

/// What the service answered when it was not a value: its own status, body and content type, for the caller to see.
#[derive(Clone, Debug)]
pub(crate) struct ServiceAnswer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) body: Bytes,
}

/// Why there is no value. It is cloned to every caller that waited for the same call.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{} answered {} to {}", .service.signing_name(), .answer.status, .service.target())]
    Refused { service: Service, answer: ServiceAnswer },
    #[error(
        "{endpoint} could not be asked: {cause}; check the function's network path to it and its certificate"
    )]
    Unreachable { endpoint: Uri, cause: String },
    #[error("{endpoint} did not answer within {} ms; raise the time-out or check the network path to it", .after.as_millis())]
    TimedOut { endpoint: Uri, after: Duration },
    #[error(
        "{endpoint} answered with something that is no JSON object; check that it is the service's endpoint"
    )]
    Unusable { endpoint: Uri },
    #[error("the call ended without an answer")]
    Lost,
}

type HttpsClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Asks the services.
pub(crate) struct Upstream {
    region: String,
    identity: Identity,
    parameters: ServiceSettings,
    secrets: ServiceSettings,
    client: OnceCell<HttpsClient>,
}

impl Upstream {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            region: settings.region.clone(),
            identity: settings.credentials.clone().into(),
            parameters: settings.parameters.clone(),
            secrets: settings.secrets.clone(),
            client: OnceCell::new(),
        }
    }

    pub(crate) fn settings(&self, service: Service) -> &ServiceSettings {
        match service {
            Service::Parameters => &self.parameters,
            Service::Secrets => &self.secrets,
        }
    }

    /// Asks for one value; the answer is the service's JSON object with `"ResultMetadata":{}` added, as AWS's extension answers.
    pub(crate) async fn fetch(&self, request: &Request, now: SystemTime) -> Result<Bytes, FetchError> {
        let service = request.service;
        let answer = self.call(request, now).await.map_err(|cause| FetchError::Unreachable {
            endpoint: self.settings(service).endpoint.clone(),
            cause: chain(&*cause),
        })?;
        if answer.status != StatusCode::OK {
            return Err(FetchError::Refused { service, answer });
        }
        with_result_metadata(&answer.body)
            .ok_or_else(|| FetchError::Unusable { endpoint: self.settings(service).endpoint.clone() })
    }

    async fn call(&self, request: &Request, now: SystemTime) -> Result<ServiceAnswer, BoxError> {
        let client = self.client.get_or_try_init(|| async { build_client() }).await?;
        let response = client.request(self.signed(request, now)?).await?;
        let (head, body) = response.into_parts();
        Ok(ServiceAnswer {
            status: head.status,
            content_type: head.headers.get(http::header::CONTENT_TYPE).cloned(),
            body: Limited::new(body, MAX_ANSWER_BYTES).collect().await?.to_bytes(),
        })
    }

    fn signed(&self, request: &Request, now: SystemTime) -> Result<http::Request<Full<Bytes>>, BoxError> {
        let service = request.service;
        let endpoint = &self.settings(service).endpoint;
        let headers = [("content-type", CONTENT_TYPE), ("x-amz-target", service.target())];
        let parameters = v4::SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name(service.signing_name())
            .time(now)
            .settings(SigningSettings::default())
            .build()?
            .into();
        let signable = SignableRequest::new(
            "POST",
            endpoint.to_string(),
            headers.into_iter(),
            SignableBody::Bytes(request.body.as_bytes()),
        )?;
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        let mut signed = http::Request::post(endpoint).body(Full::from(request.body.as_bytes().to_vec()))?;
        for (name, value) in headers {
            signed.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        instructions.apply_to_request_http1x(&mut signed);
        Ok(signed)
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The system's roots, or those of `SSL_CERT_FILE` where it is set; plain HTTP only where an endpoint says `http://`.
fn build_client() -> Result<HttpsClient, BoxError> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())?
        .https_or_http()
        .enable_http1()
        .wrap_connector(http);
    Ok(Client::builder(TokioExecutor::new()).pool_idle_timeout(IDLE_CONNECTION).build(connector))
}

/// The same JSON object with one more member; the others stay byte for byte, so no number or date changes on its way.
fn with_result_metadata(body: &[u8]) -> Option<Bytes> {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).ok()?;
    let object = body.trim_ascii();
    let members = object.strip_prefix(b"{")?.strip_suffix(b"}")?.trim_ascii();
    let mut json = Vec::with_capacity(object.len() + 24);
    json.push(b'{');
    json.extend_from_slice(members);
    if !members.is_empty() {
        json.push(b',');
    }
    json.extend_from_slice(b"\"ResultMetadata\":{}}");
    Some(json.into())
}

/// An error and its causes in one line: hyper's own text alone says no more than `client error (Connect)`.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
