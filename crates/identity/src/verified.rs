//! Tokens that were verified, by their hashes: a signature is checked once.
//!
//! There are two tables. When the young one is full it becomes the old one, and what was in that is forgotten. So the
//! number of tokens is bounded, and those in use stay, without a list of who was used when.

use std::collections::HashMap;
use std::sync::Arc;

use headwater_access::SecretHash;

use crate::identity::Identity;

/// Identities by the hashes of their tokens, of at most twice so many.
#[derive(Debug)]
pub(crate) struct Verified {
    most: usize,
    young: HashMap<SecretHash, Arc<Identity>>,
    old: HashMap<SecretHash, Arc<Identity>>,
}

// === impl Verified ===

impl Verified {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, young: HashMap::new(), old: HashMap::new() }
    }

    /// Whose token it is, where it was verified. Whether it is still valid is the caller's to see.
    pub(crate) fn find(&mut self, hash: &SecretHash) -> Option<Arc<Identity>> {
        if let Some(found) = self.young.get(hash) {
            return Some(Arc::clone(found));
        }
        let found = self.old.remove(hash)?;
        self.put(*hash, Arc::clone(&found));
        Some(found)
    }

    /// Remembers a token.
    pub(crate) fn put(&mut self, hash: SecretHash, identity: Arc<Identity>) {
        if self.young.len() >= self.most {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, identity);
    }

    /// Forgets a token.
    pub(crate) fn forget(&mut self, hash: &SecretHash) {
        self.young.remove(hash);
        self.old.remove(hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::Claims;

    #[test]
    fn tokens_in_use_stay_and_there_are_never_more_than_twice_the_limit() {
        let validity = Claims::read(br#"{"exp": 1}"#).unwrap().validity().unwrap();
        let identity = Identity { holder: "sub:a".into(), subject: "a".into(), held: Vec::new(), validity };
        let (identity, mut verified) = (Arc::new(identity), Verified::new(4));
        let hash = |number: u32| SecretHash::of(&number.to_le_bytes());
        for number in 0..100 {
            verified.put(hash(number), Arc::clone(&identity));
            assert!(verified.find(&hash(0)).is_some(), "{number}");
            assert!(verified.young.len() <= 4 && verified.old.len() <= 4);
        }
        assert!(verified.find(&hash(1)).is_none() && verified.find(&hash(99)).is_some());
        verified.forget(&hash(99));
        assert!(verified.find(&hash(99)).is_none());
    }
}
