//! Devices, such as GPUs, that run one model side by side, and how fast each of them is.

use serde::{Deserialize, Serialize};

use crate::caps::MAX_DEVICES;

/// Devices that run one model side by side: how many, and how many samples each takes in a second. A sample takes one
/// device [`seconds`](Self::seconds) of its time, and an epoch has [`samples_per_second`](Self::samples_per_second) of
/// them all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Form")]
pub struct DevicePool {
    /// How many devices there are.
    count: u32,
    /// Samples that one of them takes in a second.
    rate: f64,
}

/// Numbers that no devices have.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum DevicePoolError {
    /// There is no device, or there are too many.
    #[error(
        "{0} devices: devices that run a model are 1 to {MAX_DEVICES}; of one that runs on the processor's cores say \
         nothing"
    )]
    Count(u32),
    /// A rate is out of range, or is no number.
    #[error("a device that takes {0} samples a second: give a number from {LEAST_RATE} to {MOST_RATE}")]
    Rate(f64),
}

/// The fewest and the most samples that a device takes in a second: three hours for one, and more than any does.
const LEAST_RATE: f64 = 1e-4;
const MOST_RATE: f64 = 1e9;

/// A pool as it was written: nothing of it is checked yet.
#[derive(Clone, Copy, Deserialize)]
struct Form {
    count: u32,
    rate: f64,
}

// === impl DevicePool ===

// A rate that is no number is refused.
impl Eq for DevicePool {}

impl DevicePool {
    /// So many devices, each of which takes so many samples a second.
    ///
    /// # Errors
    /// No device or too many, and a rate that is out of range or no number.
    pub fn new(count: u32, rate: f64) -> Result<Self, DevicePoolError> {
        if !(1..=MAX_DEVICES).contains(&count) {
            return Err(DevicePoolError::Count(count));
        }
        match (LEAST_RATE..=MOST_RATE).contains(&rate) {
            true => Ok(Self { count, rate }),
            false => Err(DevicePoolError::Rate(rate)),
        }
    }

    /// How many devices there are.
    pub fn count(self) -> u32 {
        self.count
    }

    /// Samples that one of them takes in a second.
    pub fn rate(self) -> f64 {
        self.rate
    }

    /// Seconds for which a sample keeps one of them busy.
    pub fn seconds(self) -> f64 {
        1.0 / self.rate
    }

    /// Samples that all of them together take in a second.
    pub fn samples_per_second(self) -> f64 {
        f64::from(self.count) * self.rate
    }
}

impl TryFrom<Form> for DevicePool {
    type Error = DevicePoolError;

    fn try_from(Form { count, rate }: Form) -> Result<Self, DevicePoolError> {
        Self::new(count, rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_some_and_their_rate_is_a_number() {
        let two = DevicePool::new(2, 1500.0).unwrap();
        assert_eq!((two.count(), two.rate(), two.samples_per_second()), (2, 1500.0, 3000.0));
        assert!((two.seconds() - 1.0 / 1500.0).abs() < 1e-15);
        assert!(DevicePool::new(0, 1.0).unwrap_err().to_string().contains("say nothing"));
        assert_eq!(DevicePool::new(MAX_DEVICES + 1, 1.0), Err(DevicePoolError::Count(MAX_DEVICES + 1)));
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e10, 1e-5] {
            assert!(DevicePool::new(1, rate).unwrap_err().to_string().contains("samples a second"), "{rate}");
        }
    }

    #[test]
    fn what_is_read_is_checked() {
        let two = DevicePool::new(2, 1500.5).unwrap();
        assert_eq!(toml::from_str::<DevicePool>(&toml::to_string(&two).unwrap()), Ok(two));
        for bad in ["count = 0\nrate = 1.0", "count = 1\nrate = nan", "count = 1\nrate = -2.0", "count = 1"] {
            assert!(toml::from_str::<DevicePool>(bad).is_err(), "{bad}");
        }
    }
}
