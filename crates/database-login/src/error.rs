//! Everything that can stand between a function and its login.
//!
//! One enum for the crate because a caller does the same with each: log it, and answer that a dependency is
//! unavailable. Invariant: a message names the variable or the file and the mend; no credential is in one.

use std::path::PathBuf;

use rustls::pki_types::pem;

/// Why there is no login.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// A variable that every Lambda function has is not there.
    #[error(
        "the environment variable {name} is unset, empty or not UTF-8: Lambda sets it, elsewhere export it"
    )]
    Variable {
        /// The variable's name.
        name: &'static str,
    },
    /// The host cannot stand in a signed request.
    #[error("no token can be signed for the host {host:?}: give a host name or an IPv4 address alone")]
    Unsignable {
        /// The host as given.
        host: String,
        /// What the signer says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The CA bundle cannot be read.
    #[error("the CA bundle {} cannot be read: mend the path or the file's mode", path.display())]
    BundleUnreadable {
        /// The bundle's path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The CA bundle is not PEM.
    #[error("the CA bundle {} is not PEM: download it again", path.display())]
    BundleMalformed {
        /// The bundle's path.
        path: PathBuf,
        /// What the PEM reader says.
        source: pem::Error,
    },
    /// The CA bundle has no certificate in it.
    #[error("the CA bundle {} holds no certificate: it needs a -----BEGIN CERTIFICATE----- section", path.display())]
    BundleEmpty {
        /// The bundle's path.
        path: PathBuf,
    },
    /// A section of the CA bundle is PEM, but no certificate.
    #[error("certificate {position} of the CA bundle {} cannot be parsed: remove it", path.display())]
    BundleCertificate {
        /// The bundle's path.
        path: PathBuf,
        /// The certificate's position in the bundle, from 1.
        position: usize,
        /// What the certificate parser says.
        source: rustls::Error,
    },
    /// The TLS library refuses our settings.
    #[error("the TLS client cannot be set up")]
    Tls(#[from] rustls::Error),
}
