//! How a client shows who it is, and sees who a server is.

use std::path::PathBuf;
use std::sync::Arc;

use crate::client_tls::{ClientTls, ClientTlsFiles};
use crate::error::AccessError;
use crate::secret::Secret;
use crate::watched::Watched;

/// What a client needs to reach servers: nothing, where they speak plain text to everybody. Clones share what was read.
#[derive(Clone, Debug, Default)]
pub struct ClientAccess {
    /// How servers are reached by TLS; `None`: in plain text.
    pub tls: Option<ClientTls>,
    /// The token that is shown with each call.
    pub token: Option<Token>,
}

/// A token that is shown: out of a file, which is looked at with each connection, or as it was given.
#[derive(Clone, Debug)]
pub struct Token(Arc<Source>);

#[derive(Debug)]
enum Source {
    File(&'static str, PathBuf, Watched<Secret>),
    Given(Secret),
}

// === impl ClientAccess ===

impl ClientAccess {
    /// Reads the files of `--tls-ca`, `--tls-cert` with `--tls-key`, and `--token-file`.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn open(tls: Option<ClientTlsFiles>, token_file: Option<PathBuf>) -> Result<Self, AccessError> {
        let token = token_file.map(|file| Token::open("--token-file", file)).transpose()?;
        Ok(Self { tls: tls.map(ClientTls::open).transpose()?, token })
    }
}

// === impl Token ===

impl Token {
    /// Reads a file whose first line is the token; `setting` names it.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn open(setting: &'static str, path: PathBuf) -> Result<Self, AccessError> {
        let secret = Watched::new(vec![path.clone()], || Secret::read(setting, &path))?;
        Ok(Self(Arc::new(Source::File(setting, path, secret))))
    }

    /// A token as it was given.
    pub fn given(secret: Secret) -> Self {
        Self(Arc::new(Source::Given(secret)))
    }

    /// The token, as its file has it now.
    pub fn now(&self) -> Secret {
        match &*self.0 {
            Source::File(setting, path, secret) => Secret::clone(&secret.now(|| Secret::read(setting, path))),
            Source::Given(secret) => secret.clone(),
        }
    }
}
