//! How servers are reached, as Python's `Access` has it.

use std::path::PathBuf;

use headwater_access::{ClientAccess, ClientTls, ClientTlsFiles, Secret, Token};
use pyo3::prelude::*;

use crate::errors::argument;

/// The attributes of Python's `Access`.
#[derive(FromPyObject)]
pub(crate) struct Access {
    tls: Option<(PathBuf, Option<PathBuf>, Option<PathBuf>)>,
    token: Option<String>,
    token_file: Option<PathBuf>,
}

// === impl Access ===

impl Access {
    /// The client's access; ValueError for a file that cannot be used, and for what is no token.
    pub(crate) fn open(self) -> PyResult<ClientAccess> {
        let tls = self.tls.map(|(ca, cert, key)| ClientTls::open(ClientTlsFiles { ca, own: cert.zip(key) }));
        let tls = tls.transpose().map_err(|error| unusable("tls=", &error))?;
        let token = match (self.token, self.token_file) {
            (Some(token), _) => {
                let secret = Secret::new(&token).map_err(|reason| argument(format!("token=: {reason}")))?;
                Some(Token::given(secret))
            }
            (None, file) => file
                .map(|file| Token::open("--token-file", file))
                .transpose()
                .map_err(|error| unusable("token=", &error))?,
        };
        Ok(ClientAccess { tls, token })
    }
}

fn unusable(keyword: &str, error: &headwater_access::AccessError) -> PyErr {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    argument(format!("{keyword} {error}{cause}"))
}
