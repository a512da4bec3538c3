//! Quantities that only planning needs: cores, and samples per second.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// CPU cores that may be kept busy: zero or more, and not always whole (half a core is a share of one).
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Cores(f64);

/// How many samples an accelerator takes in a second.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct SamplesPerSecond(f64);

/// A number that is out of the quantity's range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct QuantityError {
    text: String,
    expected: &'static str,
}

const CORES: &str = "a number of cores such as 0, 2 or 1.5 (at most 1000000)";
const RATE: &str = "a number of samples a second such as 1200 (above 0, at most 1e12)";

// === impl Cores ===

impl Cores {
    /// No cores at all: the storage side can only send what it stores.
    pub const ZERO: Self = Self(0.0);

    /// So many cores; `None` unless from 0 to a million.
    pub fn new(cores: f64) -> Option<Self> {
        // `+ 0.0` makes -0 a 0, by which nothing may be divided unseen.
        (0.0..=1e6).contains(&cores).then_some(Self(cores + 0.0))
    }

    /// The number of cores.
    pub fn get(self) -> f64 {
        self.0
    }

    /// Whether there are no cores.
    pub fn is_zero(self) -> bool {
        self.0 == 0.0
    }
}

impl TryFrom<f64> for Cores {
    type Error = QuantityError;

    fn try_from(cores: f64) -> Result<Self, QuantityError> {
        Self::new(cores).ok_or_else(|| QuantityError { text: cores.to_string(), expected: CORES })
    }
}

impl From<Cores> for f64 {
    fn from(cores: Cores) -> Self {
        cores.0
    }
}

impl From<u32> for Cores {
    /// So many cores; the number saturates at a million.
    fn from(cores: u32) -> Self {
        Self(f64::from(cores).min(1e6))
    }
}

impl FromStr for Cores {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let cores = text.trim().parse().ok().and_then(Self::new);
        cores.ok_or_else(|| QuantityError { text: text.chars().take(64).collect(), expected: CORES })
    }
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

// === impl SamplesPerSecond ===

impl SamplesPerSecond {
    /// So many samples a second; `None` unless above 0 and at most 1e12.
    pub fn new(rate: f64) -> Option<Self> {
        (rate > 0.0 && rate <= 1e12).then_some(Self(rate))
    }

    /// The number of samples a second.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for SamplesPerSecond {
    type Error = QuantityError;

    fn try_from(rate: f64) -> Result<Self, QuantityError> {
        Self::new(rate).ok_or_else(|| QuantityError { text: rate.to_string(), expected: RATE })
    }
}

impl From<SamplesPerSecond> for f64 {
    fn from(rate: SamplesPerSecond) -> Self {
        rate.0
    }
}

impl FromStr for SamplesPerSecond {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let rate = text.trim().parse().ok().and_then(Self::new);
        rate.ok_or_else(|| QuantityError { text: text.chars().take(64).collect(), expected: RATE })
    }
}

impl fmt::Display for SamplesPerSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cores_are_a_number_of_cores_and_less_are_not() {
        assert!("0".parse::<Cores>().unwrap().is_zero() && "-0".parse::<Cores>().unwrap().get().is_sign_positive());
        assert_eq!("1.5".parse::<Cores>().unwrap().get(), 1.5);
        for bad in ["", "-1", "NaN", "inf", "two", "1e7"] {
            assert!(bad.parse::<Cores>().unwrap_err().to_string().contains("cores"), "{bad}");
        }
        for bad in ["0", "-1", "NaN", "inf", ""] {
            assert!(bad.parse::<SamplesPerSecond>().is_err(), "{bad}");
        }
    }
}
