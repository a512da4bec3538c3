//! The devices of one model: the processor, or one or several GPUs.
//!
//! They are of one kind, so that a sample's features do not depend on which of them was free.

use std::fmt;
use std::str::FromStr;

use crate::device::{Device, DeviceError};

/// The devices on which a model runs: at least one, each once, all of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Devices(Vec<Device>);

/// Why devices cannot run one model together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DevicesError {
    /// A name is none.
    #[error(transparent)]
    Unknown(#[from] DeviceError),
    /// They are of several kinds.
    #[error(
        "{first} and {other} do not go together: a sample's features would depend on which of them was free; give \
         cpu, or GPUs of one kind"
    )]
    Mixed {
        /// The first device.
        first: Device,
        /// One of another kind.
        other: Device,
    },
    /// A device is named twice.
    #[error("{0} is named twice: name each GPU once, it has several sessions as it is")]
    Twice(Device),
}

// === impl Devices ===

impl Devices {
    /// The devices, in the order in which they were named.
    pub fn iter(&self) -> impl Iterator<Item = Device> + '_ {
        self.0.iter().copied()
    }

    /// The first device, whose kind all have.
    pub fn first(&self) -> Device {
        self.0.first().copied().unwrap_or_default()
    }

    /// Whether work is handed to something other than the cores that decode.
    pub fn is_accelerator(&self) -> bool {
        self.first().is_accelerator()
    }
}

impl Default for Devices {
    fn default() -> Self {
        Device::default().into()
    }
}

impl From<Device> for Devices {
    fn from(device: Device) -> Self {
        Self(vec![device])
    }
}

impl FromStr for Devices {
    type Err = DevicesError;

    fn from_str(names: &str) -> Result<Self, DevicesError> {
        let mut devices: Vec<Device> = Vec::new();
        for name in names.split(',') {
            let device: Device = name.trim().parse()?;
            match devices.first() {
                Some(&first) if first.kind() != device.kind() => {
                    return Err(DevicesError::Mixed { first, other: device });
                }
                _ if devices.contains(&device) => return Err(DevicesError::Twice(device)),
                _ => devices.push(device),
            }
        }
        Ok(Self(devices))
    }
}

impl fmt::Display for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0[..] {
            return only.fmt(f);
        }
        let numbered = self.iter().map(|device| match device.gpu() {
            Some(gpu) => format!("{}:{}", device.kind(), gpu.0),
            None => device.to_string(),
        });
        f.pad(&numbered.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_gpus_read_what_they_print() {
        for (given, printed) in [
            ("cpu", "cpu"),
            ("cuda:0", "cuda"),
            ("cuda,cuda:1", "cuda:0,cuda:1"),
            ("tensorrt:2, tensorrt:0", "tensorrt:2,tensorrt:0"),
        ] {
            let devices: Devices = given.parse().unwrap();
            assert_eq!(devices.to_string(), printed);
            assert_eq!(printed.parse(), Ok(devices));
        }
    }

    #[test]
    fn mixtures_and_repetitions_are_refused() {
        for (given, words) in [
            ("cpu,cuda", "cpu and cuda do not go together"),
            ("cuda:1,tensorrt", "cuda:1 and tensorrt do not go together"),
            ("cuda,cuda:0", "cuda is named twice"),
            ("cpu,cpu", "cpu is named twice"),
            ("cuda,", "there is no device \"\""),
        ] {
            let error = given.parse::<Devices>().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
