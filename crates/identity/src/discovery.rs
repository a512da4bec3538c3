//! A provider's configuration (OpenID Connect Discovery 1.0): who it is, and where its keys are.

use serde::Deserialize;

use crate::error::{DocumentFault, IdentityError, Trouble};
use crate::escaped::escaped;
use crate::url::ProviderUrl;

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

/// Most characters of another issuer that are shown.
const SHOWN: usize = 200;

/// Where the keys are, by the configuration of this issuer.
///
/// # Errors
/// A document that is none, or another issuer's.
pub(crate) fn keys_of(issuer: &ProviderUrl, bytes: &[u8]) -> Result<ProviderUrl, Trouble> {
    let at = |fault| Trouble::Document { url: issuer.configuration(), fault };
    let document: Document = serde_json::from_slice(bytes)
        .map_err(|error| at(DocumentFault::json("OpenID configuration with issuer and jwks_uri", &error)))?;
    if document.issuer != issuer.as_str() {
        let (ours, theirs) = (issuer.to_string(), escaped(&document.issuer, SHOWN));
        return Err(Trouble::Lasting(IdentityError::OtherIssuer { ours, theirs }));
    }
    document.jwks_uri.parse().map_err(|reason| at(DocumentFault::Place(reason)))
}
