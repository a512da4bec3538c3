//! Whole microseconds: exact, and the same on every machine.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A time in whole microseconds, as a length or since the begin of something. Sums and products saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Micros(pub u64);

// === impl Micros ===

impl Micros {
    /// No time.
    pub const ZERO: Self = Self(0);

    /// The number of microseconds.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The same in seconds.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The same, as clocks have it.
    pub fn duration(self) -> Duration {
        Duration::from_micros(self.0)
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left without the other; nothing where that is longer.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// So many times as long.
    #[must_use]
    pub fn times(self, number: u32) -> Self {
        Self(self.0.saturating_mul(number.into()))
    }
}

impl From<Duration> for Micros {
    /// What is below a microsecond is left out.
    fn from(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
    }
}
