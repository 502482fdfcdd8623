//! What the tests of the SSM endpoint share: an endpoint with some parameters, and a plain HTTPS client.
#![allow(dead_code)] // Each test file uses its own part of it.
#![allow(clippy::unwrap_used)] // In helpers of tests, as in tests.

use std::num::NonZeroU32;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use lambda_lab::certificates::Authority;
use lambda_lab::ssm::{Parameter, SsmEndpoint};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A header that passes.
pub(crate) const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AKIDLAB/20260101/eu-central-1/ssm/aws4_request, \
                      SignedHeaders=host;x-amz-date;x-amz-target, Signature=0123";

fn parameters() -> Vec<Parameter> {
    let of = |name: &str, value: &str, secure| Parameter {
        name: name.to_owned(),
        value: value.to_owned(),
        secure,
    };
    let mut parameters = vec![
        of("/stadiums/database/host", "localhost", false),
        of("/stadiums/database/port", "6432", false),
        of("/stadiums/cache/password", "hunter2", true),
        of("/stadiums/greeting", "hello", false),
    ];
    parameters.extend((0..12).map(|number| of(&format!("/many/{number:02}"), "one of many", false)));
    parameters
}

/// An endpoint with its authority's folder.
pub(crate) async fn start() -> (SsmEndpoint, tempfile::TempDir, Authority) {
    start_at(None).await
}

/// The same, which throttles more than `rate` requests a second.
pub(crate) async fn start_throttled(rate: u32) -> (SsmEndpoint, tempfile::TempDir, Authority) {
    start_at(NonZeroU32::new(rate)).await
}

async fn start_at(rate: Option<NonZeroU32>) -> (SsmEndpoint, tempfile::TempDir, Authority) {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::create(folder.path()).unwrap();
    let endpoint = SsmEndpoint::start(&authority, parameters(), "AKIDLAB", rate).await.unwrap();
    (endpoint, folder, authority)
}

/// Where it listens on 127.0.0.1.
pub(crate) fn port(endpoint: &SsmEndpoint) -> u16 {
    endpoint.url().strip_prefix("https://localhost:").unwrap().parse().unwrap()
}

/// An open connection.
pub(crate) type Connection = SendRequest<Full<Bytes>>;

/// A TLS connection that trusts `authority` alone.
pub(crate) async fn connect(
    endpoint: &SsmEndpoint,
    authority: &Authority,
    name: &str,
) -> std::io::Result<Connection> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority.ca_path()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(("127.0.0.1", port(endpoint))).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Sends one request on an open connection; the answer's status, headers of interest and JSON.
pub(crate) async fn call(
    connection: &mut Connection,
    headers: &[(&str, &str)],
    body: &str,
) -> (StatusCode, String, String, Value) {
    let mut request = Request::post("/").header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = connection.send_request(request.body(Full::from(body.to_owned())).unwrap()).await.unwrap();
    let status = response.status();
    let header = |name: &str| {
        response.headers().get(name).map_or(String::new(), |value| value.to_str().unwrap().to_owned())
    };
    let (error_type, content_type) = (header("x-amzn-errortype"), header("content-type"));
    assert_eq!(header("x-amzn-requestid").len(), 36);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, error_type, content_type, serde_json::from_slice(&body).unwrap())
}
