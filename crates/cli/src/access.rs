//! `--tls-...` and `--token-file` of programs that call servers.

use std::path::PathBuf;

use clap::Args;
use headwater_access::{AccessError, ClientAccess, ClientTlsFiles};

use crate::exit::UsageError;

/// How servers are reached: flatten this into the arguments of whatever calls them.
#[derive(Args, Clone, Debug, Default)]
pub struct AccessArgs {
    /// Reach servers by TLS alone, and trust those whose certificate was issued by one of these (PEM); read anew when
    /// it changes
    #[arg(long, value_name = "FILE", help_heading = "Access")]
    pub tls_ca: Option<PathBuf>,

    /// This program's own certificate (PEM), with those that issued it behind it; read anew when it changes
    #[arg(long, value_name = "FILE", help_heading = "Access")]
    pub tls_cert: Option<PathBuf>,

    /// The key of --tls-cert (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Access")]
    pub tls_key: Option<PathBuf>,

    /// Show servers the token in this file's first line, where they ask for one (--tokens); read anew when it changes
    #[arg(long, value_name = "FILE", help_heading = "Access")]
    pub token_file: Option<PathBuf>,
}

// === impl AccessArgs ===

impl AccessArgs {
    /// What clap cannot see, since values may come from a file or a variable: a certificate without its key, or with
    /// nobody to trust.
    fn check(&self) -> Result<(), UsageError> {
        let wrong = |words: &str| Err(UsageError(words.to_owned()));
        match (&self.tls_ca, &self.tls_cert, &self.tls_key) {
            (_, Some(_), None) => wrong("--tls-cert without --tls-key: give the certificate's key too"),
            (_, None, Some(_)) => wrong("--tls-key without --tls-cert: give the key's certificate too"),
            (None, Some(_), Some(_)) => {
                wrong("--tls-cert without --tls-ca: give the authority that issued the servers' certificates too")
            }
            _ => Ok(()),
        }
    }

    /// Reads the files that lead to others, of a program that also shows its certificate to those who call it.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn towards_others(&self) -> Result<ClientAccess, AccessError> {
        let own = self.tls_cert.clone().zip(self.tls_key.clone());
        let tls = self.tls_ca.clone().map(|ca| ClientTlsFiles { ca, own });
        ClientAccess::open(tls, self.token_file.clone())
    }

    /// Reads the files.
    ///
    /// # Errors
    /// Settings that do not go together, and a file that cannot be used.
    pub fn open(&self) -> anyhow::Result<ClientAccess> {
        self.check()?;
        if self.tls_ca.is_none() && self.token_file.is_some() {
            tracing::warn!("--token-file without --tls-ca: the token travels in plain text");
        }
        Ok(self.towards_others()?)
    }
}
