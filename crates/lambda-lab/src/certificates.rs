//! The lab's own certificate authority and the server certificates it issues.
//!
//! Apart from the servers because all of them (PostgreSQL, PgBouncer, Redis, SSM) must be trusted through one bundle, the
//! `ca.pem` that functions get as their trust root, so that they verify certificates in the lab exactly as they do on AWS.
//! Invariant: the authority is new in each run and its private key never reaches the disk.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};

/// How long certificates are valid, in days from today; they begin yesterday, so that clocks may differ a little.
const VALID_DAYS: i64 = 30;

/// Every name under which a client on this machine may reach a server.
const SERVER_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Why a certificate could not be made or written.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The certificate could not be built or signed.
    #[error("cannot make the certificate `{name}`: {source}")]
    Make {
        /// The common name asked for.
        name: String,
        /// What rcgen said.
        source: rcgen::Error,
    },
    /// The calendar ended: the machine's clock is far off.
    #[error("cannot compute a certificate's validity from the system clock (is the date right?): {0}")]
    Clock(#[from] jiff::Error),
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A certificate authority that lives as long as one run of the lab.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
    ca_path: PathBuf,
}

/// A server certificate and its key, as files beside the authority's `ca.pem`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The certificate, PEM, mode 0644.
    pub cert_path: PathBuf,
    /// Its private key, PEM (PKCS#8), mode 0600.
    pub key_path: PathBuf,
}

impl Authority {
    /// Makes a new authority (ECDSA P-256) and writes its certificate to `dir/ca.pem`, readable by everybody.
    ///
    /// # Errors
    /// [`CertificateError`] when it cannot be made or `dir` cannot be written.
    pub fn create(dir: &Path) -> Result<Self, CertificateError> {
        let name = format!("lambda-lab authority {}", uuid::Uuid::new_v4().simple());
        let failed = |source| CertificateError::Make { name: name.clone(), source };
        let mut params = parameters(&name, &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(failed)?;
        let ca_path = dir.join("ca.pem");
        write(&ca_path, &issuer.pem(), 0o644)?;
        Ok(Self { issuer, folder: dir.to_path_buf(), ca_path })
    }

    /// The bundle that clients trust: this authority's certificate alone, PEM.
    pub fn ca_path(&self) -> &Path {
        &self.ca_path
    }

    /// Issues a server certificate for localhost, 127.0.0.1 and ::1 and writes `<name>.pem` and `<name>.key`,
    /// replacing those of an earlier call.
    ///
    /// # Errors
    /// [`CertificateError`] when it cannot be made or written.
    pub fn issue(&self, name: &str) -> Result<Issued, CertificateError> {
        let failed = |source| CertificateError::Make { name: name.to_owned(), source };
        let mut params = parameters(name, &SERVER_NAMES)?;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        let issued = Issued {
            cert_path: self.folder.join(format!("{name}.pem")),
            key_path: self.folder.join(format!("{name}.key")),
        };
        write(&issued.cert_path, &certificate.pem(), 0o644)?;
        write(&issued.key_path, &key.serialize_pem(), 0o600)?;
        Ok(issued)
    }
}

fn parameters(name: &str, alternative_names: &[&str]) -> Result<CertificateParams, CertificateError> {
    let names: Vec<String> = alternative_names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names)
        .map_err(|source| CertificateError::Make { name: name.to_owned(), source })?;
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    // rcgen takes its dates from another time library; both count months and days from 1.
    let midnight = |date: Date| {
        rcgen::date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    params.not_before = midnight(today.yesterday()?);
    params.not_after = midnight(today.checked_add(VALID_DAYS.days())?);
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

/// Writes with the final mode from the first byte on: a key is never readable by others, not even for a moment.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), CertificateError> {
    let failed = |source| CertificateError::Write { path: path.to_path_buf(), source };
    // A key that another user owns by now cannot be opened, only replaced.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    // The umask may have taken bits away from `mode`.
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier as _;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

    use super::*;

    /// Whether a client that trusts `authority` takes the certificate at a time some days from now.
    fn is_valid_in(days: u64, authority: &Authority, issued: &Issued) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority.ca_path()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
        let certificate = CertificateDer::from_pem_file(&issued.cert_path).unwrap();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let then = UnixTime::since_unix_epoch(now + Duration::from_secs(days * 24 * 60 * 60));
        let name = ServerName::try_from("localhost").unwrap();
        verifier.verify_server_cert(&certificate, &[], &name, &[], then).is_ok()
    }

    #[test]
    fn certificates_are_valid_for_their_own_authority_and_for_thirty_days() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [ours, other] = folders.each_ref().map(|folder| Authority::create(folder.path()).unwrap());
        let issued = ours.issue("redis").unwrap();
        assert!(is_valid_in(0, &ours, &issued));
        assert!(is_valid_in(VALID_DAYS as u64 - 1, &ours, &issued));
        assert!(!is_valid_in(VALID_DAYS as u64 + 1, &ours, &issued));
        assert!(!is_valid_in(0, &other, &issued));
    }

    #[test]
    fn keys_are_private_the_bundle_is_not_and_a_second_issue_replaces_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::create(folder.path()).unwrap();
        let first = authority.issue("redis").unwrap();
        let first_key = fs::read(&first.key_path).unwrap();
        let issued = authority.issue("redis").unwrap();
        assert_eq!(issued, first);
        assert_ne!(fs::read(&issued.key_path).unwrap(), first_key);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&issued.key_path), 0o600);
        assert_eq!((mode(&issued.cert_path), mode(authority.ca_path())), (0o644, 0o644));
        let mut files: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        files.sort();
        assert_eq!(files, ["ca.pem", "redis.key", "redis.pem"], "the authority's key must not be on disk");
    }
}
