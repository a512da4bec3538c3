//! The precision in which a model computes on its device.

use std::fmt;
use std::str::FromStr;

use crate::device::Device;
use crate::devices::Devices;

/// The precision in which a model of float32 computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// As the model is.
    #[default]
    Fp32,
    /// In 16-bit floats wherever TensorRT finds these faster.
    Fp16,
}

/// A precision that does not exist, or not on these devices.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrecisionError {
    /// There is none of the name.
    #[error("there is no precision {0:?}: use fp32 or fp16")]
    Unknown(String),
    /// The devices compute in the model's own types.
    #[error(
        "precision fp16 is of --device tensorrt: on {0} a model computes in the types that it was exported in; give \
         a model that was exported in float16, or leave --precision out"
    )]
    NotOn(Devices),
}

// === impl Precision ===

impl Precision {
    /// The precision's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fp32 => "fp32",
            Self::Fp16 => "fp16",
        }
    }

    /// Whether these devices have it.
    ///
    /// # Errors
    /// [`PrecisionError::NotOn`].
    pub fn check(self, devices: &Devices) -> Result<(), PrecisionError> {
        match (self, devices.first()) {
            (Self::Fp32, _) | (_, Device::TensorRt(_)) => Ok(()),
            (Self::Fp16, Device::Cpu | Device::Cuda(_)) => Err(PrecisionError::NotOn(devices.clone())),
        }
    }
}

impl FromStr for Precision {
    type Err = PrecisionError;

    fn from_str(name: &str) -> Result<Self, PrecisionError> {
        let all = [Self::Fp32, Self::Fp16];
        all.into_iter().find(|one| one.as_str() == name).ok_or_else(|| PrecisionError::Unknown(name.to_owned()))
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tensorrt_computes_in_another_precision_than_the_models() {
        assert_eq!("fp16".parse(), Ok(Precision::Fp16));
        assert_eq!(
            "int8".parse::<Precision>().unwrap_err().to_string().split(':').next(),
            Some("there is no precision \"int8\"")
        );
        for (devices, is_fine) in [("cpu", false), ("cuda:0,cuda:1", false), ("tensorrt:1", true)] {
            let devices: Devices = devices.parse().unwrap();
            assert_eq!(Precision::Fp16.check(&devices).is_ok(), is_fine, "{devices}");
            assert_eq!(Precision::Fp32.check(&devices), Ok(()));
        }
        let error = Precision::Fp16.check(&"cuda".parse().unwrap()).unwrap_err().to_string();
        assert!(error.contains("on cuda") && error.contains("exported in float16"), "{error}");
    }
}
