//! Who may reach the server, and how it shows who it is.

use std::path::PathBuf;

use clap::Args;
use headwater_access::{AccessError, ClientAccess, ServerTlsFiles};
use headwater_cli::AccessArgs;
use headwater_cli::exit::UsageError;
use headwater_identity::OidcSettings;

use super::oidc::OidcArgs;
use crate::listen::ListenAddress;

/// Who may reach the server. Its own certificate is also the one that it shows to other servers.
#[derive(Args, Clone, Debug)]
pub(crate) struct GateArgs {
    #[command(flatten)]
    own: AccessArgs,
    /// Take clients alone whose certificate was issued by one of these (PEM); read anew when it changes
    #[arg(long, value_name = "FILE", help_heading = "Access")]
    tls_client_ca: Option<PathBuf>,
    /// Ask each call for a token of this file, a line for each: NAME read|write|admin DATASET,…|* sha256:HASH, as
    /// `storage-server token` makes them; or sub:SUBJECT for a subject of --oidc-issuer. Read anew when it changes
    #[arg(long, value_name = "FILE", help_heading = "Access")]
    tokens: Option<PathBuf>,
    #[command(flatten)]
    oidc: OidcArgs,
    /// Be reached from other machines without TLS, and take tokens in plain text: whoever is on the network reads and
    /// changes everything
    #[arg(long, help_heading = "Access")]
    insecure: bool,
}

// === impl GateArgs ===

impl GateArgs {
    /// Settings that do not go together, each with the fix.
    pub(crate) fn conflicts(
        &self,
        listens: [(&str, Option<&ListenAddress>); 2],
        calls_others: bool,
    ) -> Vec<UsageError> {
        let mut found = Vec::new();
        match (&self.own.tls_cert, &self.own.tls_key) {
            (Some(_), None) => found.push("--tls-cert without --tls-key: give the certificate's key too".to_owned()),
            (None, Some(_)) => found.push("--tls-key without --tls-cert: give the key's certificate too".to_owned()),
            _ => {}
        }
        if self.tls_client_ca.is_some() && !self.has_tls() {
            found.push("--tls-client-ca without --tls-cert: clients show certificates in TLS alone".to_owned());
        }
        let open = listens.into_iter().filter_map(|(flag, listen)| Some((flag, listen?)));
        for (flag, listen) in open.filter(|(_, listen)| !self.has_tls() && !self.insecure && !listen.is_this_machine())
        {
            found.push(format!(
                "{flag} {listen} is open to other machines, without TLS: give --tls-cert and --tls-key, or --insecure \
                 where everybody on that network may read and change everything"
            ));
        }
        if let Some(flag) = self.asks().filter(|_| !self.has_tls() && !self.insecure) {
            found.push(format!(
                "{flag} without --tls-cert: tokens would travel in plain text; give --tls-cert and --tls-key, or \
                 --insecure where nobody else is on that network"
            ));
        }
        if calls_others && self.has_tls() != self.own.tls_ca.is_some() {
            found.push(
                "other servers (--peers, --models-from) are reached as this one is: give both --tls-cert and --tls-ca, \
                 or neither"
                    .to_owned(),
            );
        }
        if let Some(flag) = self.asks().filter(|_| calls_others && self.own.token_file.is_none()) {
            found.push(format!("{flag} with --peers or --models-from: they ask for tokens too; give --token-file"));
        }
        found.extend(self.oidc.conflicts(self.insecure));
        found.into_iter().map(UsageError).collect()
    }

    /// The setting by which calls are asked for tokens; `None` where they are not.
    fn asks(&self) -> Option<&'static str> {
        match self.tokens {
            Some(_) => Some("--tokens"),
            None => self.oidc.is_on().then_some("--oidc-issuer"),
        }
    }

    fn has_tls(&self) -> bool {
        self.own.tls_cert.is_some()
    }

    /// The files of TLS; `None` without it.
    pub(crate) fn tls(&self) -> Option<ServerTlsFiles> {
        let (cert, key) = self.own.tls_cert.clone().zip(self.own.tls_key.clone())?;
        Some(ServerTlsFiles { cert, key, client_ca: self.tls_client_ca.clone() })
    }

    /// The identity provider; `None` without one.
    pub(crate) fn provider(&self) -> Option<OidcSettings> {
        self.oidc.settings(self.insecure)
    }

    /// The file of tokens; `None` where none are asked for.
    pub(crate) fn tokens(&self) -> Option<PathBuf> {
        self.tokens.clone()
    }

    /// How other servers are reached.
    pub(crate) fn towards_others(&self) -> Result<ClientAccess, AccessError> {
        self.own.towards_others()
    }
}
