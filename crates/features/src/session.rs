//! One ONNX Runtime session: a batch of finished tensors in, a row of features for each out.
//!
//! `ort` lets one thread at a time run a session, and so every worker has its own. Sessions do not share weights: on
//! the CPU ONNX Runtime rearranges convolution weights for each session, and would share nothing if asked to.

use headwater_types::Size;
use ort::ep;
use ort::logging::LogLevel;
use ort::session::Session as OrtSession;
use ort::session::builder::SessionBuilder;
use ort::value::TensorRef;

use crate::device::Device;
use crate::error::ModelError;
use crate::model::Model;
use crate::runtime::Runtime;

pub(crate) struct Session {
    session: OrtSession,
    size: Size,
    features: usize,
    threads: usize,
}

// === impl Session ===

impl Session {
    /// Opens a model for inputs f32 `[N, 3, height, width]` and runs it once, so that what cannot run is found now.
    pub(crate) fn open(
        runtime: &Runtime,
        model: &Model,
        size: Size,
        device: Device,
        threads: usize,
    ) -> Result<Self, ModelError> {
        let name = &model.name;
        let refused = |reason: String| match device {
            Device::Cpu => ModelError::Runtime { name: name.clone(), reason },
            _ => ModelError::Device { name: name.clone(), device, reason },
        };
        let mut builder = options(runtime, device, threads).map_err(|error| refused(error.to_string()))?;
        let session = builder.commit_from_memory(&model.bytes).map_err(|error| refused(error.to_string()))?;
        let mut session = Self { session, size, features: 0, threads };
        let features = session.probe().map_err(refused)?.map_err(|dims| ModelError::Output {
            name: name.clone(),
            output: model.output.clone(),
            actual: format!("of shape {dims:?} for one sample"),
        })?;
        session.features = features;
        Ok(session)
    }

    /// Floats of one input.
    pub(crate) fn row(&self) -> usize {
        row_of(self.size)
    }

    /// Floats of one output.
    pub(crate) fn features(&self) -> usize {
        self.features
    }

    /// Threads that a run takes on the CPU, the caller's among them. They share the run's work evenly.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Runs whole rows, read where they lie, and gives each one's features to `each` in their order.
    pub(crate) fn run(&mut self, rows: &[f32], mut each: impl FnMut(usize, &[f32])) -> Result<(), String> {
        let features = self.features;
        let batch = rows.len() / self.row();
        self.run_raw(rows, |dims, values| {
            if dims.first() != Some(&(batch as i64)) || values.len() != batch * features {
                return Err(format!("{batch} samples gave an output of shape {dims:?}, not {batch} x {features}"));
            }
            values.chunks_exact(features).enumerate().for_each(|(index, values)| each(index, values));
            Ok(())
        })
        .map_err(|error| error.to_string())?
    }

    /// Length of the features of one sample, or the shape of an output that is not one row for it.
    fn probe(&mut self) -> Result<Result<usize, Vec<i64>>, String> {
        let zeros = vec![0.0; self.row()];
        self.run_raw(&zeros, |dims, values| match dims {
            [1, _, ..] if !values.is_empty() => Ok(values.len()),
            _ => Err(dims.to_vec()),
        })
        .map_err(|error| error.to_string())
    }

    fn run_raw<T>(&mut self, rows: &[f32], read: impl FnOnce(&[i64], &[f32]) -> T) -> Result<T, ort::Error> {
        let (height, width) = (self.size.height as usize, self.size.width as usize);
        let batch = rows.len() / self.row();
        let input = TensorRef::from_array_view(([batch, 3, height, width], rows))?;
        let outputs = self.session.run(ort::inputs![input])?;
        let (dims, values) = outputs[0].try_extract_tensor::<f32>()?;
        Ok(read(dims, values))
    }
}

/// Floats of one input of this size.
pub(crate) fn row_of(size: Size) -> usize {
    3 * size.height as usize * size.width as usize
}

/// How a session of so many threads is opened on a device, or not at all.
pub(crate) fn options(runtime: &Runtime, device: Device, threads: usize) -> Result<SessionBuilder, ort::Error> {
    let builder = OrtSession::builder(&runtime.environment)?
        .with_log_level(LogLevel::Warning)?
        .with_intra_threads(threads)?
        // A thread that spins while it waits takes a core from decoding.
        .with_intra_op_spinning(false)?;
    let providers = match device {
        Device::Cpu => return Ok(builder),
        Device::Cuda => vec![ep::CUDA::default().build()],
        Device::TensorRt => vec![ep::TensorRT::default().build(), ep::CUDA::default().build()],
    };
    // Without both of these, a device that is not there would mean the CPU, silently.
    let providers: Vec<_> = providers.into_iter().map(|provider| provider.error_on_failure()).collect();
    Ok(builder.with_disable_cpu_fallback()?.with_execution_providers(providers)?)
}
