//! Ids: which sample, which dataset, which model, which job, which class.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::caps::MAX_NAME_BYTES;

/// A sample's position: in a server's partition on the wire, in the concatenation of all partitions at the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SampleIndex(pub u64);

/// A class's position in the sorted list of class names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClassId(pub u32);

/// A name that was empty, too long, or had a character that metrics, file names or shells would trip over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name:?} is not a {what} name: use 1 to {MAX_NAME_BYTES} of a-z A-Z 0-9 . _ - and begin with a letter or digit"
)]
pub struct NameError {
    name: String,
    what: &'static str,
}

pub(crate) fn check_name(name: &str, what: &'static str) -> Result<(), NameError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let good = name.len() <= MAX_NAME_BYTES
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(plain);
    good.then_some(()).ok_or_else(|| NameError { name: name.chars().take(MAX_NAME_BYTES).collect(), what })
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(name: &str) -> Result<Self, NameError> {
                check_name(name, $what)?;
                Ok(Self(name.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

name_type!(
    /// What a dataset is called on the wire.
    DatasetName,
    "dataset"
);
name_type!(
    /// What a registered model is called.
    ModelName,
    "model"
);
name_type!(
    /// What a training job calls itself to servers: the same in all its processes, and another for each job.
    JobName,
    "job"
);
name_type!(
    /// What a server is called among the servers that share one store.
    ServerName,
    "server"
);

// === impl SampleIndex ===

impl fmt::Display for SampleIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_escape_a_path_or_a_label_are_refused() {
        for bad in ["", ".hidden", "-flag", "a/b", "a b", "a\0", "é", &"x".repeat(65)] {
            assert!(bad.parse::<DatasetName>().is_err(), "{bad:?}");
        }
        assert_eq!("mobilenet_v2_1.0_224".parse::<ModelName>().unwrap().as_str(), "mobilenet_v2_1.0_224");
    }
}
