//! Which kinds of entries a server keeps, as `--cache-kinds` says it.

use std::fmt;
use std::str::FromStr;

use headwater_cache::KindName;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheKinds {
    /// Of each sample the one kind that is worth its bytes, by what was measured here.
    Auto,
    /// Each of these, wherever the recipe allows it.
    Listed(KindSet),
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct KindSet(u8);

/// Text that lists no kinds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} lists no kinds: give auto, or some of encoded, indexed, resized and features, parted by commas")]
pub struct KindsError(String);

const AUTO: &str = "auto";

// === impl KindSet ===

impl KindSet {
    /// Whether a kind is in the set.
    pub const fn has(self, kind: KindName) -> bool {
        self.0 & bit(kind) != 0
    }
}

impl FromIterator<KindName> for KindSet {
    fn from_iter<I: IntoIterator<Item = KindName>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |bits, kind| bits | bit(kind)))
    }
}

const fn bit(kind: KindName) -> u8 {
    1 << kind as u8
}

// === impl CacheKinds ===

impl CacheKinds {
    /// Whether entries of a kind may be there.
    pub const fn may_have(self, kind: KindName) -> bool {
        match self {
            Self::Auto => true,
            Self::Listed(kinds) => kinds.has(kind),
        }
    }
}

impl FromStr for CacheKinds {
    type Err = KindsError;

    fn from_str(text: &str) -> Result<Self, KindsError> {
        if text.trim() == AUTO {
            return Ok(Self::Auto);
        }
        let kind = |name: &str| KindName::ALL.into_iter().find(|kind| kind.as_str() == name.trim());
        let kinds: Option<KindSet> = text.split(',').map(kind).collect();
        kinds.map(Self::Listed).ok_or_else(|| KindsError(text.to_owned()))
    }
}

impl fmt::Display for CacheKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str(AUTO),
            Self::Listed(kinds) => {
                let names = KindName::ALL.into_iter().filter(|kind| kinds.has(*kind)).map(KindName::as_str);
                f.write_str(&names.collect::<Vec<_>>().join(","))
            }
        }
    }
}

impl Serialize for CacheKinds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CacheKinds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_read_as_they_print_and_nothing_else_is_one() {
        for text in ["auto", "encoded", "indexed,resized", "encoded,indexed,resized,features"] {
            assert_eq!(text.parse::<CacheKinds>().unwrap().to_string(), text);
        }
        assert_eq!("resized, indexed,resized".parse::<CacheKinds>().unwrap().to_string(), "indexed,resized");
        for bad in ["", ",", "encoded,", "decoded", "auto,encoded", "Encoded"] {
            assert!(bad.parse::<CacheKinds>().unwrap_err().to_string().contains("give auto, or some of"), "{bad}");
        }
        let listed: CacheKinds = "resized".parse().unwrap();
        let there: Vec<_> = KindName::ALL.into_iter().filter(|kind| listed.may_have(*kind)).collect();
        assert_eq!(there, [KindName::Resized]);
        assert!(KindName::ALL.into_iter().all(|kind| CacheKinds::Auto.may_have(kind)));
    }
}
