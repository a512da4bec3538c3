//! Which of ONNX Runtime's providers run a model on a device, and with which settings.

use std::path::PathBuf;

use headwater_types::Size;
use ort::ep::{self, ExecutionProviderDispatch};

use crate::device::{Device, Gpu};
use crate::precision::Precision;

/// Where and how a session runs.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) device: Device,
    pub(crate) precision: Precision,
    /// The inputs that will come, for which TensorRT builds its engine.
    pub(crate) shapes: Option<Shapes>,
    /// The folder in which TensorRT looks for its engine, and leaves one that it has built.
    pub(crate) engines: Option<PathBuf>,
}

/// The inputs that will come: f32 `[1 to most, 3, height, width]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shapes {
    /// The name of the model's input.
    pub(crate) input: String,
    pub(crate) size: Size,
    /// Most samples in one run.
    pub(crate) most: usize,
}

// === impl Target ===

impl Target {
    /// The providers, best first; none for the processor, which needs none.
    pub(crate) fn providers(&self) -> Vec<ExecutionProviderDispatch> {
        let providers = match self.device {
            Device::Cpu => Vec::new(),
            Device::Cuda(gpu) => vec![cuda(gpu)],
            Device::TensorRt(gpu) => vec![self.tensorrt(gpu), cuda(gpu)],
        };
        // Without this, a device that is not there would mean the CPU, silently.
        providers.into_iter().map(|provider| provider.error_on_failure()).collect()
    }

    fn tensorrt(&self, gpu: Gpu) -> ExecutionProviderDispatch {
        let mut provider =
            ep::TensorRT::default().with_device_id(gpu.0.into()).with_fp16(self.precision == Precision::Fp16);
        // Without a range of shapes, an engine would be built anew for each number of samples that is larger than all
        // before it, in the midst of serving: minutes each time.
        if let Some(shapes) = &self.shapes {
            provider = provider
                .with_profile_min_shapes(shapes.of(1))
                .with_profile_opt_shapes(shapes.of(shapes.most))
                .with_profile_max_shapes(shapes.of(shapes.most));
        }
        if let Some(folder) = &self.engines {
            provider = provider.with_engine_cache(true).with_engine_cache_path(folder.display());
        }
        provider.build()
    }
}

/// Each session has a stream of its own, so that the copies of one run beside the kernels of another.
fn cuda(gpu: Gpu) -> ExecutionProviderDispatch {
    ep::CUDA::default().with_device_id(gpu.0.into()).build()
}

// === impl Shapes ===

impl Shapes {
    /// The input's shape for so many samples, as TensorRT's settings have it.
    pub(crate) fn of(&self, samples: usize) -> String {
        let Size { width, height } = self.size;
        format!("{}:{samples}x3x{height}x{width}", self.input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_device_has_its_providers_in_their_order() {
        let shapes = Shapes { input: "x".into(), size: Size { width: 5, height: 4 }, most: 8 };
        assert_eq!(shapes.of(8), "x:8x3x4x5");
        for (device, expected) in [(Device::Cpu, 0), (Device::Cuda(Gpu(1)), 1), (Device::TensorRt(Gpu(0)), 2)] {
            let (shapes, engines) = (Some(shapes.clone()), Some("/tmp".into()));
            let target = Target { device, precision: Precision::Fp32, shapes, engines };
            assert_eq!(target.providers().len(), expected, "{device}");
        }
    }
}
