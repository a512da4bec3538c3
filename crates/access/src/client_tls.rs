//! TLS of a client: whose certificates servers must have, and its own.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls::version::TLS13;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::AccessError;
use crate::fault::TlsFault;
use crate::pem::{certificates, key, roots};
use crate::server_tls::{provider, unusable};
use crate::watched::Watched;

/// The files of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTlsFiles {
    /// Certificates of those that issue the servers', in PEM (`--tls-ca`).
    pub ca: PathBuf,
    /// The client's own certificate and its key, in PEM (`--tls-cert`, `--tls-key`).
    pub own: Option<(PathBuf, PathBuf)>,
}

/// A client's side of TLS 1.3. Clones share what was read; the files are looked at with each connection.
#[derive(Clone, Debug)]
pub struct ClientTls(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    files: ClientTlsFiles,
    config: Watched<ClientConfig>,
}

// === impl ClientTls ===

impl ClientTls {
    /// Reads the files.
    ///
    /// # Errors
    /// A file that cannot be used, and a key that is not the certificate's.
    pub fn open(files: ClientTlsFiles) -> Result<Self, AccessError> {
        let own = files.own.iter().flat_map(|(cert, key)| [cert, key]);
        let all = std::iter::once(&files.ca).chain(own).cloned().collect();
        let config = Watched::new(all, || files.config())?;
        Ok(Self(Arc::new(Inner { files, config })))
    }

    /// Greets the server of this name, or address, by the certificates that are there now.
    ///
    /// # Errors
    /// A server whose certificate is not accepted, or that speaks something else: a [`TlsFault`] lies within.
    pub async fn connect<S>(&self, host: &str, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(io::Error::other)?;
        let config = self.0.config.now(|| self.0.files.config());
        let connected = TlsConnector::from(config).connect(name, stream).await;
        connected.map_err(|error| TlsFault::of_handshake(&error).map_or(error, TlsFault::into_io))
    }
}

// === impl ClientTlsFiles ===

impl ClientTlsFiles {
    fn config(&self) -> Result<ClientConfig, AccessError> {
        let roots = roots("--tls-ca", &self.ca)?;
        let broken = |reason: String| AccessError::Broken { setting: "--tls-ca", path: self.ca.clone(), reason };
        let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13]);
        let builder = builder.map_err(|error| broken(error.to_string()))?.with_root_certificates(roots);
        let mut config = match &self.own {
            None => builder.with_no_client_auth(),
            Some((cert, of)) => {
                let (chain, private) = (certificates("--tls-cert", cert)?, key("--tls-key", of)?);
                builder.with_client_auth_cert(chain, private).map_err(|error| unusable(&error, cert, of))?
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }
}
