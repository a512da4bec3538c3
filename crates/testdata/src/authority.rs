//! Certificates for tests: an authority of its own, and what it issues.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};

/// An authority that issues certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub struct Issued {
    /// The certificate.
    pub cert: String,
    /// Its key.
    pub key: String,
}

// === impl Authority ===

impl Authority {
    /// A new authority of this name.
    ///
    /// # Errors
    /// No key can be made.
    pub fn new(name: &str) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// Its own certificate, in PEM.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for these names and addresses.
    ///
    /// # Errors
    /// A name that is none.
    pub fn issue(&self, names: &[&str]) -> Result<Issued> {
        self.until(names, 2100)
    }

    /// A certificate that expired long ago.
    ///
    /// # Errors
    /// A name that is none.
    pub fn issue_expired(&self, names: &[&str]) -> Result<Issued> {
        self.until(names, 2001)
    }

    fn until(&self, names: &[&str], year: i32) -> Result<Issued> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        (params.not_before, params.not_after) = (date_time_ymd(2000, 1, 1), date_time_ymd(year, 1, 1));
        let key = KeyPair::generate()?;
        let cert = params.signed_by(&key, &self.0)?;
        Ok(Issued { cert: cert.pem(), key: key.serialize_pem() })
    }

    /// Writes its certificate as `NAME.pem` into a folder, whole or not at all.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(&self, folder: &Path, name: &str) -> Result<PathBuf> {
        replace(folder, &format!("{name}.pem"), &self.pem())
    }
}

// === impl Issued ===

impl Issued {
    /// Writes both as `NAME.pem` and `NAME.key` into a folder, each whole or not at all.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(&self, folder: &Path, name: &str) -> Result<(PathBuf, PathBuf)> {
        Ok((replace(folder, &format!("{name}.pem"), &self.cert)?, replace(folder, &format!("{name}.key"), &self.key)?))
    }
}

fn replace(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let (beside, path) = (folder.join(format!("{name}.new")), folder.join(name));
    fs::write(&beside, text)?;
    fs::rename(&beside, &path)?;
    Ok(path)
}
