//! The devices on which models run.

use std::fmt;
use std::str::FromStr;

/// A kind of device that runs models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Device {
    /// The processor's cores.
    #[default]
    Cpu,
    /// An NVIDIA GPU, through CUDA and cuDNN.
    Cuda,
    /// An NVIDIA GPU, through TensorRT, and through CUDA where TensorRT does not take an operator.
    TensorRt,
}

/// A device that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no device {0:?}: use cpu, cuda or tensorrt")]
pub struct DeviceError(String);

// === impl Device ===

impl Device {
    /// Every device.
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Cuda, Self::TensorRt];

    /// The device's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::TensorRt => "tensorrt",
        }
    }

    /// Whether work is handed to something other than the cores that decode.
    pub const fn is_accelerator(self) -> bool {
        !matches!(self, Self::Cpu)
    }

    /// What must be on the machine for the device to work.
    pub const fn needs(self) -> &'static str {
        match self {
            Self::Cpu => "nothing but the ONNX Runtime library",
            Self::Cuda => {
                "an NVIDIA GPU with its driver, CUDA 13, cuDNN 9, and the GPU build of ONNX Runtime: \
                 `pip install onnxruntime-gpu==1.31.1`, and point ORT_DYLIB_PATH to its capi/libonnxruntime.so.1.31.1"
            }
            Self::TensorRt => {
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
        Self::ALL.into_iter().find(|device| device.as_str() == name).ok_or_else(|| DeviceError(name.to_owned()))
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_read_what_they_print() {
        for device in Device::ALL {
            assert_eq!(device.to_string().parse::<Device>(), Ok(device));
        }
        let error = "gpu".parse::<Device>().unwrap_err().to_string();
        assert_eq!(error, "there is no device \"gpu\": use cpu, cuda or tensorrt");
    }
}
