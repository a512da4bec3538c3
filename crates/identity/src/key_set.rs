//! The keys of a provider (RFC 7517), as one document has them.

use headwater_types::caps::OIDC_KEYS;
use serde::Deserialize;
use serde_json::Value;

use crate::algorithm::Algorithm;
use crate::error::DocumentFault;
use crate::escaped::escaped;
use crate::jwk::Key;
use crate::refused::Refused;

/// The keys that can be used, and how many cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeySet {
    keys: Vec<Key>,
    /// Why keys of the document are left out.
    pub(crate) left_out: Vec<&'static str>,
}

/// Most characters of a key's name that are shown.
const SHOWN: usize = 64;

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

// === impl KeySet ===

impl KeySet {
    /// Reads a document.
    ///
    /// # Errors
    /// It is none, or has no key that can be used.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, DocumentFault> {
        let document: Document =
            serde_json::from_slice(bytes).map_err(|error| DocumentFault::json("set of keys (JWKS)", &error))?;
        let found = document.keys.len();
        if found > OIDC_KEYS {
            return Err(DocumentFault::ManyKeys { found, most: OIDC_KEYS });
        }
        let (mut keys, mut left_out) = (Vec::new(), Vec::new());
        for value in &document.keys {
            match Key::read(value) {
                Ok(key) => keys.push(key),
                Err(why) => left_out.push(why),
            }
        }
        match keys.is_empty() {
            true => Err(DocumentFault::NoKeys { found, why: left_out.first().copied() }),
            false => Ok(Self { keys, left_out }),
        }
    }

    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The names of the keys, for the log.
    pub(crate) fn names(&self) -> String {
        self.keys.iter().map(|key| escaped(&key.id, SHOWN)).collect::<Vec<_>>().join(", ")
    }

    /// Whether the key of this name has signed the message. Several keys may have one name where they are for different
    /// algorithms.
    ///
    /// # Errors
    /// No such key, a key for another algorithm, another signature.
    pub(crate) fn check(
        &self,
        (id, algorithm): (&str, Algorithm),
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Refused> {
        let named: Vec<_> = self.keys.iter().filter(|key| key.id == id).collect();
        let mut fitting = named.iter().filter(|key| key.is_for(algorithm));
        match fitting.any(|key| key.has_signed(algorithm, message, signature)) {
            true => Ok(()),
            false if named.is_empty() => Err(Refused::UnknownKey),
            false if named.iter().any(|key| key.is_for(algorithm)) => Err(Refused::Signature),
            false => Err(Refused::Mismatch),
        }
    }
}

/// How many keys of a document can be used, and how many cannot.
///
/// # Errors
/// As a server would refuse it.
pub fn count_keys(bytes: &[u8]) -> Result<(usize, usize), DocumentFault> {
    KeySet::read(bytes).map(|set| (set.len(), set.left_out.len()))
}
