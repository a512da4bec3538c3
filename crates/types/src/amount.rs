//! An amount of memory or disk, as a setting says it: so many bytes, or a share of what is free.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::units::{ByteCount, UnitError};

/// `4GiB`, or `50%` of what is free at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// So many bytes.
    Bytes(ByteCount),
    /// A share of what is free.
    Share(Share),
}

/// A share in percent, above 0 and up to 100, with up to three decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u32);

/// Text that is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// The number before the percent sign is none, or out of its range.
    #[error("{0:?} is no share: give more than 0% and up to 100%, such as 50%")]
    Share(String),
    /// There is no percent sign, and the text is no size either.
    #[error("{0}; or a share of what is free, such as 50%")]
    Size(#[from] UnitError),
}

/// Parts of a percent that a share can say.
const PARTS: u64 = 1000;

// === impl Amount ===

impl Amount {
    /// No bytes.
    pub const ZERO: Self = Self::Bytes(ByteCount::new(0));

    /// The amount in bytes, where so many are free.
    pub fn of(self, free: ByteCount) -> ByteCount {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Share(Share(parts)) => {
                let bytes = u128::from(free.get()) * u128::from(parts) / u128::from(100 * PARTS);
                // A share of 64 bits at most.
                ByteCount::new(bytes as u64)
            }
        }
    }

    /// The bytes, where they do not hang on what is free.
    pub fn bytes(self) -> Option<ByteCount> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Share(_) => None,
        }
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let Some(number) = text.trim().strip_suffix('%') else { return Ok(Self::Bytes(text.parse()?)) };
        let is_number = |number: &&str| number.bytes().all(|digit| digit.is_ascii_digit() || digit == b'.');
        let percent = Some(number.trim_end()).filter(is_number).and_then(|number| number.parse::<f64>().ok());
        let parts = percent.filter(|percent| *percent <= 100.0).map(|percent| (percent * PARTS as f64).round());
        let parts = parts.filter(|parts| *parts > 0.0).ok_or_else(|| AmountError::Share(text.to_owned()))?;
        // Of 100,000 at most.
        Ok(Self::Share(Share(parts as u32)))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => bytes.fmt(f),
            Self::Share(Share(parts)) => write!(f, "{}%", f64::from(*parts) / PARTS as f64),
        }
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_or_a_share_reads_as_it_prints() {
        let free = ByteCount::new(3000);
        for (text, bytes) in [("2KiB", 2048), ("0B", 0), ("50%", 1500), ("100%", 3000), ("0.1%", 3), ("33.333%", 999)] {
            let amount: Amount = text.parse().unwrap();
            assert_eq!((amount.of(free).get(), amount.to_string().as_str()), (bytes, text));
        }
        assert_eq!("50 %".parse::<Amount>().unwrap().to_string(), "50%");
        let all = ByteCount::new(u64::MAX);
        assert_eq!("100%".parse::<Amount>().unwrap().of(all), all);
    }

    #[test]
    fn what_is_neither_says_what_would_be() {
        for text in ["0%", "100.1%", "-1%", "%", "1e2%", "inf%", "nan%", "1.2.3%", "0.0001%"] {
            assert!(text.parse::<Amount>().unwrap_err().to_string().contains("up to 100%"), "{text}");
        }
        for text in ["", "half", "50 percent"] {
            let error = text.parse::<Amount>().unwrap_err().to_string();
            assert!(error.contains("2GiB") && error.contains("50%"), "{error}");
        }
    }
}
