//! The algorithms that can decide how samples travel.

use std::fmt;
use std::str::FromStr;

use headwater_types::Way;
use headwater_types::way::WayError;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How ways are chosen. Written `optimal`, `sophon`, `minimum-bytes`, `static:WAY`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// The shortest predicted epoch over all resources, with a bound that proves how good it is.
    #[default]
    Optimal,
    /// The greedy of SOPHON's paper (HotStorage'24): two resources, one smallest stage for each sample.
    Sophon,
    /// The fewest bytes for each sample, whatever CPU it takes.
    MinimumBytes,
    /// Every sample travels by this way.
    Static(Way),
}

/// Text that names no algorithm.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlgorithmError {
    /// No algorithm has this name.
    #[error("there is no algorithm {0:?}: use optimal, sophon, minimum-bytes or static:CUT, such as static:cropped")]
    Unknown(String),
    /// What follows `static:` names no way.
    #[error("static: needs a way")]
    Way(#[from] WayError),
}

// === impl Algorithm ===

impl FromStr for Algorithm {
    type Err = AlgorithmError;

    fn from_str(text: &str) -> Result<Self, AlgorithmError> {
        match text {
            "optimal" => Ok(Self::Optimal),
            "sophon" => Ok(Self::Sophon),
            "minimum-bytes" => Ok(Self::MinimumBytes),
            _ => match text.strip_prefix("static:") {
                Some(way) => Ok(Self::Static(way.parse()?)),
                None => Err(AlgorithmError::Unknown(text.chars().take(64).collect())),
            },
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Optimal => f.pad("optimal"),
            Self::Sophon => f.pad("sophon"),
            Self::MinimumBytes => f.pad("minimum-bytes"),
            Self::Static(way) => f.pad(&format!("static:{way}")),
        }
    }
}

impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Algorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_are_read_as_they_are_written() {
        let mut all = vec![Algorithm::Optimal, Algorithm::Sophon, Algorithm::MinimumBytes];
        all.extend(Way::all().map(Algorithm::Static));
        for algorithm in all {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        }
        for bad in ["", "greedy", "static", "static:", "static:crop", "Optimal"] {
            assert!(bad.parse::<Algorithm>().is_err(), "{bad}");
        }
    }
}
