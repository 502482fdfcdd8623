//! Whom we trust to vouch for a server.
//!
//! Apart so that exactly one place reads a CA bundle, once, and every client of ours verifies servers the
//! same way. Invariant: roots that exist have at least one usable certificate, and no setting here turns
//! verification off.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::LoginError;

/// The certificate authorities that a server's certificate must lead to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Roots {
    store: Arc<RootCertStore>,
    pem: Arc<[u8]>,
}

impl Roots {
    /// The authorities in the PEM file at `path`, and no others.
    ///
    /// # Errors
    /// Names the path and what is wrong with it: unreadable, not PEM, without a certificate, or with a
    /// section that is none.
    pub fn from_bundle(path: impl Into<PathBuf>) -> Result<Self, LoginError> {
        let path = path.into();
        let pem = match std::fs::read(&path) {
            Ok(pem) => pem,
            Err(source) => return Err(LoginError::BundleUnreadable { path, source }),
        };
        let store = parse(&pem, &path)?;
        Ok(Self { store: Arc::new(store), pem: pem.into() })
    }

    /// The authorities that browsers trust, compiled in from Mozilla's list; RDS Proxy and ElastiCache need
    /// no others.
    pub fn web() -> Self {
        let store = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        Self { store: Arc::new(store), pem: Arc::default() }
    }

    /// What the variable `TLS_CA_BUNDLE` asks for: the bundle at that path or, unset or empty, the
    /// [web's](Self::web).
    ///
    /// # Errors
    /// As [`Roots::from_bundle`].
    pub fn from_env_value(value: Option<&OsStr>) -> Result<Self, LoginError> {
        match value {
            Some(path) if !path.is_empty() => Self::from_bundle(path),
            _ => Ok(Self::web()),
        }
    }

    /// A TLS client that verifies the server's chain, name and dates, and shows no certificate of its own.
    ///
    /// The crypto provider is passed here because several are linked into some binaries, and the process-wide
    /// default would then depend on which crate came first.
    ///
    /// # Errors
    /// [`LoginError::Tls`] if the provider lacked our protocol versions; ring does not.
    pub fn client_config(&self) -> Result<ClientConfig, LoginError> {
        Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(Arc::clone(&self.store))
            .with_no_client_auth())
    }

    /// The bundle as it was read, empty for the web's roots: for clients that take PEM rather than a
    /// [`ClientConfig`].
    pub(crate) fn pem(&self) -> &[u8] {
        &self.pem
    }
}

fn parse(pem: &[u8], path: &Path) -> Result<RootCertStore, LoginError> {
    let mut store = RootCertStore::empty();
    for (index, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
        let certificate =
            certificate.map_err(|source| LoginError::BundleMalformed { path: path.to_owned(), source })?;
        store.add(certificate).map_err(|source| LoginError::BundleCertificate {
            path: path.to_owned(),
            position: index + 1,
            source,
        })?;
    }
    if store.is_empty() { Err(LoginError::BundleEmpty { path: path.to_owned() }) } else { Ok(store) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_webs_authorities_vouch_for_rds_proxy() {
        let amazon = b"Amazon Root CA 1";
        let web = Roots::web();
        let mut subjects = web.store.roots.iter().map(|anchor| anchor.subject.as_ref());
        assert!(subjects.any(|subject| subject.windows(amazon.len()).any(|part| part == amazon)));
    }
}
