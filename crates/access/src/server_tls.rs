//! TLS of a server: its certificate and key, and whose certificates its clients must have.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{Error, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::error::AccessError;
use crate::pem::{certificates, key, roots};
use crate::watched::Watched;

/// The files of a server.
#[derive(Clone, Debug)]
pub struct ServerTlsFiles {
    /// Its certificate, and those that issued it, in PEM (`--tls-cert`).
    pub cert: PathBuf,
    /// The certificate's key, in PEM (`--tls-key`).
    pub key: PathBuf,
    /// Certificates of those that issue its clients', in PEM (`--tls-client-ca`): clients must then have one.
    pub client_ca: Option<PathBuf>,
}

/// A server's side of TLS 1.3. The files are looked at with each connection.
#[derive(Debug)]
pub struct ServerTls {
    files: ServerTlsFiles,
    protocol: &'static [u8],
    config: Watched<ServerConfig>,
}

// === impl ServerTls ===

impl ServerTls {
    /// Reads the files. `protocol` is what connections speak (ALPN): `h2`, `http/1.1`.
    ///
    /// # Errors
    /// A file that cannot be used, and a key that is not the certificate's.
    pub fn open(files: ServerTlsFiles, protocol: &'static [u8]) -> Result<Self, AccessError> {
        let all = [Some(&files.cert), Some(&files.key), files.client_ca.as_ref()];
        let all = all.into_iter().flatten().cloned().collect();
        let config = Watched::new(all, || files.config(protocol))?;
        Ok(Self { files, protocol, config })
    }

    /// Greets a client by the certificate that is there now.
    ///
    /// # Errors
    /// A client that speaks something else, or whose certificate is not accepted.
    pub async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = self.config.now(|| self.files.config(self.protocol));
        TlsAcceptor::from(config).accept(stream).await
    }

    /// Whether clients must have a certificate.
    pub fn knows_clients(&self) -> bool {
        self.files.client_ca.is_some()
    }
}

// === impl ServerTlsFiles ===

impl ServerTlsFiles {
    fn config(&self, protocol: &[u8]) -> Result<ServerConfig, AccessError> {
        let chain = certificates("--tls-cert", &self.cert)?;
        let key = key("--tls-key", &self.key)?;
        let builder = ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13]);
        let builder = builder.map_err(|error| self.broken(&error))?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let roots = Arc::new(roots("--tls-client-ca", path)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build();
                let verifier = verifier.map_err(|error| AccessError::Broken {
                    setting: "--tls-client-ca",
                    path: path.clone(),
                    reason: error.to_string(),
                })?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| self.broken(&error))?;
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok(config)
    }

    fn broken(&self, error: &Error) -> AccessError {
        unusable(error, &self.cert, &self.key)
    }
}

/// Why a certificate cannot be used with a key.
pub(crate) fn unusable(error: &Error, cert: &std::path::Path, key: &std::path::Path) -> AccessError {
    match error {
        Error::InconsistentKeys(_) => AccessError::Unpaired { cert: cert.to_owned(), key: key.to_owned() },
        error => AccessError::Broken { setting: "--tls-cert", path: cert.to_owned(), reason: error.to_string() },
    }
}

/// The cryptography: what the store's own TLS is built with.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
