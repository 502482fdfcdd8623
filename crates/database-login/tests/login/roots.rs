//! Which bundles are taken, and which servers are believed because of them.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use database_login::{LoginError, Roots};
use rcgen::date_time_ymd;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, ClientConnection, Error, ServerConfig, ServerConnection};
use tempfile::{TempDir, tempdir};

use crate::certificates::{Authority, host, self_signed_server};

const NAME: &str = "db.example.com";

/// Writes `content` to a bundle, and keeps its folder for as long as the test needs it.
fn bundle(content: &str) -> (TempDir, PathBuf) {
    let dir = tempdir().unwrap();
    let path = dir.path().join("ca.pem");
    std::fs::write(&path, content).unwrap();
    (dir, path)
}

fn roots(bundle_content: &str) -> Roots {
    let (_dir, path) = bundle(bundle_content);
    Roots::from_bundle(path).unwrap()
}

fn refusal(content: &str) -> LoginError {
    let (_dir, path) = bundle(content);
    let error = Roots::from_bundle(&path).unwrap_err();
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    error
}

/// Lets a client that trusts `roots` shake hands, in memory, with a `server` that it takes for [`NAME`].
fn handshake(roots: &Roots, server: Arc<ServerConfig>) -> Result<(), Error> {
    let config: ClientConfig = roots.client_config().unwrap();
    let mut client = ClientConnection::new(Arc::new(config), ServerName::try_from(NAME).unwrap())?;
    let mut server = ServerConnection::new(server)?;
    while client.is_handshaking() || server.is_handshaking() {
        let mut to_server = Vec::new();
        client.write_tls(&mut to_server).unwrap();
        deliver(&to_server, |bytes| server.read_tls(bytes));
        server.process_new_packets()?;

        let mut to_client = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut to_client).unwrap();
        }
        deliver(&to_client, |bytes| client.read_tls(bytes));
        client.process_new_packets()?;
    }
    Ok(())
}

fn deliver(mut bytes: &[u8], mut read: impl FnMut(&mut dyn io::Read) -> io::Result<usize>) {
    while !bytes.is_empty() {
        read(&mut bytes).unwrap();
    }
}

/// What a client that trusts `roots` has against the certificate of `server`.
fn objection(roots: &Roots, server: Arc<ServerConfig>) -> CertificateError {
    match handshake(roots, server) {
        Err(Error::InvalidCertificate(objection)) => objection,
        other => panic!("the certificate should have been refused, not: {other:?}"),
    }
}

#[test]
fn a_server_is_believed_by_any_authority_of_the_bundle() {
    let (one, other) = (Authority::new("one"), Authority::new("other"));
    let roots = roots(&format!("# Comments are fine.\n{}{}", one.pem(), other.pem()));
    assert_eq!(handshake(&roots, one.server(&host(NAME))), Ok(()));
    assert_eq!(handshake(&roots, other.server(&host(NAME))), Ok(()));
}

#[test]
fn a_server_of_another_authority_is_refused() {
    let (ours, theirs) = (Authority::new("an authority"), Authority::new("an authority"));
    let objection = objection(&roots(&ours.pem()), theirs.server(&host(NAME)));
    // Same name, other key: the chain seems to fit until its signature is checked.
    assert!(
        matches!(objection, CertificateError::BadSignature | CertificateError::UnknownIssuer),
        "{objection:?}"
    );
}

#[test]
fn a_server_that_vouches_for_itself_is_refused() {
    let authority = Authority::new("an authority");
    let objection = objection(&roots(&authority.pem()), self_signed_server(&host(NAME)));
    assert_eq!(objection, CertificateError::UnknownIssuer);
}

#[test]
fn a_server_of_another_name_is_refused() {
    let authority = Authority::new("an authority");
    let objection = objection(&roots(&authority.pem()), authority.server(&host("other.example.com")));
    assert!(matches!(objection, CertificateError::NotValidForNameContext { .. }), "{objection:?}");
}

#[test]
fn a_server_out_of_its_dates_is_refused() {
    let authority = Authority::new("an authority");
    let roots = roots(&authority.pem());

    let mut expired = host(NAME);
    (expired.not_before, expired.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
    let objected = objection(&roots, authority.server(&expired));
    assert!(matches!(objected, CertificateError::ExpiredContext { .. }), "{objected:?}");

    let mut early = host(NAME);
    (early.not_before, early.not_after) = (date_time_ymd(4000, 1, 1), date_time_ymd(4001, 1, 1));
    let objected = objection(&roots, authority.server(&early));
    assert!(matches!(objected, CertificateError::NotValidYetContext { .. }), "{objected:?}");
}

#[test]
fn the_variable_chooses_between_the_bundle_and_the_web() {
    let authority = Authority::new("an authority");
    let (_dir, path) = bundle(&authority.pem());
    let from_bundle = Roots::from_env_value(Some(path.as_os_str())).unwrap();
    assert_eq!(handshake(&from_bundle, authority.server(&host(NAME))), Ok(()));
    for value in [None, Some(OsStr::new(""))] {
        let web = Roots::from_env_value(value).unwrap();
        assert_eq!(objection(&web, authority.server(&host(NAME))), CertificateError::UnknownIssuer);
    }
}

#[test]
fn a_bundle_that_cannot_be_used_is_refused_with_its_path() {
    let pem = Authority::new("an authority").pem();
    assert!(matches!(refusal(""), LoginError::BundleEmpty { .. }));
    assert!(matches!(refusal(&pem.replace("CERTIFICATE", "PUBLIC KEY")), LoginError::BundleEmpty { .. }));
    assert!(matches!(refusal(&pem.replace("-----END", "-----AND")), LoginError::BundleMalformed { .. }));

    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let error = refusal(&format!("{pem}{no_certificate}"));
    assert!(matches!(error, LoginError::BundleCertificate { position: 2, .. }), "{error:?}");

    let (_dir, path) = bundle("");
    let missing = path.with_file_name("missing.pem");
    let error = Roots::from_bundle(&missing).unwrap_err();
    assert!(matches!(error, LoginError::BundleUnreadable { .. }), "{error:?}");
    assert!(error.to_string().contains(missing.to_str().unwrap()), "{error}");
}
