//! Certificates and keys out of PEM files.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::pem::{Error, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::AccessError;
use crate::stamp::read;

/// The certificates of a file, in its order: the one of the holder first, then those that issued it.
pub(crate) fn certificates(setting: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, AccessError> {
    let bytes = read(setting, path)?;
    let found = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    match found.map_err(|error| broken(setting, path, &error))? {
        none if none.is_empty() => Err(AccessError::Empty { setting, path: path.to_owned(), wanted: "certificate" }),
        some => Ok(some),
    }
}

/// The certificates of a file as those that others are checked by.
pub(crate) fn roots(setting: &'static str, path: &Path) -> Result<RootCertStore, AccessError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(setting, path)? {
        let added = roots.add(certificate);
        added.map_err(|error| AccessError::Broken { setting, path: path.to_owned(), reason: error.to_string() })?;
    }
    Ok(roots)
}

/// The first private key of a file.
pub(crate) fn key(setting: &'static str, path: &Path) -> Result<PrivateKeyDer<'static>, AccessError> {
    let bytes = read(setting, path)?;
    match PrivateKeyDer::from_pem_slice(&bytes) {
        Ok(key) => Ok(key),
        Err(Error::NoItemsFound) => {
            Err(AccessError::Empty { setting, path: path.to_owned(), wanted: "private key without a passphrase" })
        }
        Err(error) => Err(broken(setting, path, &error)),
    }
}

fn broken(setting: &'static str, path: &Path, error: &Error) -> AccessError {
    // The error of a key's file may quote a line of it.
    let reason = match error {
        Error::MissingSectionEnd { .. } => "a section of it has no end".to_owned(),
        Error::IllegalSectionStart { .. } => "a section of it has no proper beginning".to_owned(),
        Error::Base64Decode(_) => "a section of it is no Base64".to_owned(),
        _ => "it is no PEM file".to_owned(),
    };
    AccessError::Broken { setting, path: path.to_owned(), reason }
}
