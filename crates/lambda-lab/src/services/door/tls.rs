//! The door's TLS.
//!
//! Apart because it is made once, from files. Invariant: like PostgreSQL, the door resumes no session, so each new connection
//! of a function costs a whole handshake.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use tokio_rustls::TlsAcceptor;

use crate::certificates::Authority;
use crate::services::ServiceError;

/// What ends TLS for clients that trust `authority`.
pub(super) fn acceptor(authority: &Authority) -> Result<TlsAcceptor, ServiceError> {
    let issued = authority.issue("database")?;
    let certificate =
        CertificateDer::from_pem_file(&issued.cert_path).map_err(unusable("read", &issued.cert_path))?;
    let key = PrivateKeyDer::from_pem_file(&issued.key_path).map_err(unusable("read", &issued.key_path))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let failed = unusable("serve TLS with", &issued.cert_path);
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate], key));
    let mut config = config.map_err(failed)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn unusable<E>(action: &'static str, path: &Path) -> impl FnOnce(E) -> ServiceError
where
    E: std::error::Error + Send + Sync + 'static,
{
    let failed = ServiceError::file(action, path);
    move |error| failed(std::io::Error::other(error))
}
