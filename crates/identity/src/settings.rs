//! How an identity provider is set up.

use std::path::PathBuf;
use std::time::Duration;

use crate::claim_path::ClaimPath;
use crate::url::ProviderUrl;

/// What every token is held against.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Whoever has to have made it (`--oidc-issuer`).
    pub issuer: ProviderUrl,
    /// Whom it has to be for (`--oidc-audience`).
    pub audience: String,
    /// The claim of roles (`--oidc-roles-claim`).
    pub roles: ClaimPath,
}

/// An identity provider, and how it is asked.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    /// What every token is held against.
    pub expected: Expected,
    /// Where the keys are (`--oidc-jwks`); `None`: where the issuer's configuration says.
    pub jwks: Option<ProviderUrl>,
    /// Certificates of those that issue the provider's (`--oidc-ca`); `None`: those that the system trusts.
    pub ca: Option<PathBuf>,
    /// A token that is shown to the provider (`--oidc-token-file`).
    pub token_file: Option<PathBuf>,
    /// Whether keys may come in plain text from other machines (`--insecure`).
    pub insecure: bool,
    /// How often keys are asked for (`--oidc-refresh`).
    pub refresh: Duration,
    /// How long they are trusted while the provider cannot be reached (`--oidc-keep-keys`).
    pub keep: Duration,
}
