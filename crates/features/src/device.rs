//! One device on which models run: the processor, or a GPU by its number.

use std::fmt;
use std::str::FromStr;

/// A device that runs models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Device {
    /// The processor's cores.
    #[default]
    Cpu,
    /// An NVIDIA GPU, through CUDA and cuDNN.
    Cuda(Gpu),
    /// An NVIDIA GPU, through TensorRT, and through CUDA where TensorRT does not take an operator.
    TensorRt(Gpu),
}

/// The number of a GPU, as CUDA counts those that the process may see (`CUDA_VISIBLE_DEVICES`): from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gpu(pub u8);

/// A device that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no device {0:?}: use cpu, cuda, cuda:N, tensorrt or tensorrt:N, where N is a GPU's number, from 0")]
pub struct DeviceError(String);

// === impl Device ===

impl Device {
    /// What the device's name begins with, whatever its number.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda(_) => "cuda",
            Self::TensorRt(_) => "tensorrt",
        }
    }

    /// The GPU, where it is one.
    pub const fn gpu(self) -> Option<Gpu> {
        match self {
            Self::Cpu => None,
            Self::Cuda(gpu) | Self::TensorRt(gpu) => Some(gpu),
        }
    }

    /// Whether work is handed to something other than the cores that decode.
    pub const fn is_accelerator(self) -> bool {
        self.gpu().is_some()
    }

    /// What must be on the machine for the device to work.
    pub const fn needs(self) -> &'static str {
        match self {
            Self::Cpu => "nothing but the ONNX Runtime library",
            Self::Cuda(_) => {
                "an NVIDIA GPU with its driver, CUDA 13, cuDNN 9, and the GPU build of ONNX Runtime: \
                 `pip install onnxruntime-gpu==1.31.1`, and point ORT_DYLIB_PATH to its capi/libonnxruntime.so.1.31.1"
            }
            Self::TensorRt(_) => {
                "an NVIDIA GPU with its driver, CUDA 13, cuDNN 9, TensorRT 10 (libnvinfer) on the library path, and \
                 the GPU build of ONNX Runtime: `pip install onnxruntime-gpu==1.31.1`, and point ORT_DYLIB_PATH to its \
                 capi/libonnxruntime.so.1.31.1"
            }
        }
    }
}

impl FromStr for Device {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        let none = || DeviceError(name.to_owned());
        let (kind, gpu) = match name.split_once(':') {
            // A sign would be read as part of a number.
            Some((_, number)) if !number.bytes().all(|digit| digit.is_ascii_digit()) => return Err(none()),
            Some((kind, number)) => (kind, Some(Gpu(number.parse().map_err(|_| none())?))),
            None => (name, None),
        };
        match (kind, gpu) {
            ("cpu", None) => Ok(Self::Cpu),
            ("cuda", gpu) => Ok(Self::Cuda(gpu.unwrap_or_default())),
            ("tensorrt", gpu) => Ok(Self::TensorRt(gpu.unwrap_or_default())),
            _ => Err(none()),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.gpu() {
            None | Some(Gpu(0)) => f.pad(self.kind()),
            Some(Gpu(number)) => f.pad(&format!("{}:{number}", self.kind())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_read_what_they_print() {
        let devices = [
            (Device::Cpu, "cpu"),
            (Device::Cuda(Gpu(0)), "cuda"),
            (Device::Cuda(Gpu(3)), "cuda:3"),
            (Device::TensorRt(Gpu(0)), "tensorrt"),
            (Device::TensorRt(Gpu(255)), "tensorrt:255"),
        ];
        for (device, name) in devices {
            assert_eq!((device.to_string().as_str(), name.parse()), (name, Ok(device)));
        }
        assert_eq!("cuda:0".parse(), Ok(Device::Cuda(Gpu(0))));
    }

    #[test]
    fn others_are_refused_with_those_that_there_are() {
        for wrong in ["gpu", "", "cpu:0", "cuda:", "cuda:-1", "cuda:+1", "cuda:256", "cuda:x", "CUDA", "cuda:1:2"] {
            let error = wrong.parse::<Device>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("there is no device {wrong:?}: use cpu, cuda, cuda:N")), "{error}");
        }
    }
}
