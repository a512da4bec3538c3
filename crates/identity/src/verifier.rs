//! Tokens held against one set of keys. What was verified lies with the keys, and goes with them.

use std::sync::{Arc, Mutex, PoisonError};

use headwater_access::SecretHash;
use headwater_types::caps::OIDC_VERIFIED;

use crate::claim_path::ClaimPath;
use crate::compact::Compact;
use crate::error::DocumentFault;
use crate::identity::Identity;
use crate::key_set::KeySet;
use crate::refused::Refused;
use crate::settings::Expected;
use crate::verified::Verified;

/// A set of keys, and the tokens that were verified by it.
#[derive(Debug)]
pub(crate) struct Verifier {
    pub(crate) keys: KeySet,
    verified: Mutex<Verified>,
}

// === impl Verifier ===

impl Verifier {
    pub(crate) fn new(keys: KeySet) -> Self {
        Self { keys, verified: Mutex::new(Verified::new(OIDC_VERIFIED)) }
    }

    /// Whose token it is, and whether that was known.
    ///
    /// # Errors
    /// Why it is not taken.
    pub(crate) fn identify(
        &self,
        token: &[u8],
        expected: &Expected,
        now: u64,
    ) -> Result<(Arc<Identity>, bool), Refused> {
        let hash = SecretHash::of(token);
        if let Some(known) = self.verified().find(&hash) {
            return match known.validity.check(now) {
                Ok(()) => Ok((known, true)),
                Err(refused) => {
                    self.verified().forget(&hash);
                    Err(refused)
                }
            };
        }
        let identity = Arc::new(check(&self.keys, token, expected, now)?);
        self.verified().put(hash, Arc::clone(&identity));
        Ok((identity, false))
    }

    fn verified(&self) -> std::sync::MutexGuard<'_, Verified> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds a token against keys: its form, its key, its signature, its claims, in this order.
fn check(keys: &KeySet, token: &[u8], expected: &Expected, now: u64) -> Result<Identity, Refused> {
    let compact = Compact::read(token)?;
    keys.check((&compact.key, compact.algorithm), compact.signed, &compact.signature)?;
    Identity::read(&compact.payload, expected, now)
}

/// Holds a token against a document of keys at a time, as a server would that expects this issuer and audience.
///
/// # Errors
/// What is wrong with the document; within, why the token is not taken.
pub fn judge(
    (document, token): (&[u8], &[u8]),
    (issuer, audience): (&crate::ProviderUrl, &str),
    roles: &ClaimPath,
    now: u64,
) -> Result<Result<Identity, Refused>, DocumentFault> {
    let keys = KeySet::read(document)?;
    let expected = Expected { issuer: issuer.clone(), audience: audience.to_owned(), roles: roles.clone() };
    Ok(check(&keys, token, &expected, now))
}
