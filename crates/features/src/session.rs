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
    /// Floats of a sample in each output: one, or the tensors at which a network is cut.
    widths: Vec<usize>,
    threads: usize,
    /// A sample's floats of all outputs, where there are several.
    row: Vec<f32>,
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
        let mut session = Self { session, size, widths: Vec::new(), threads, row: Vec::new() };
        let widths = session.probe().map_err(refused)?.map_err(|actual| ModelError::Output {
            name: name.clone(),
            output: model.output.clone(),
            actual: format!("{actual} for one sample"),
        })?;
        session.widths = widths;
        Ok(session)
    }

    /// Floats of one input.
    pub(crate) fn row(&self) -> usize {
        row_of(self.size)
    }

    /// Floats of one sample's features, of all outputs.
    pub(crate) fn features(&self) -> usize {
        self.widths.iter().sum()
    }

    /// Threads that a run takes on the CPU, the caller's among them. They share the run's work evenly.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Runs whole rows, read where they lie, and gives each one's features to `each` in their order.
    pub(crate) fn run(&mut self, rows: &[f32], mut each: impl FnMut(usize, &[f32])) -> Result<(), String> {
        let batch = rows.len() / self.row();
        let Self { session, size, widths, row, .. } = self;
        let checked = |width: usize, (dims, values): Made<'_>| {
            if dims.first() != Some(&(batch as i64)) || values.len() != batch * width {
                return Err(format!("{batch} samples gave an output of shape {dims:?}, not {batch} x {width}"));
            }
            Ok(())
        };
        run_raw(session, *size, rows, |made| {
            widths.iter().zip(made).try_for_each(|(&width, &made)| checked(width, made))?;
            match (&widths[..], made) {
                (&[width], &[(_, values)]) => {
                    values.chunks_exact(width).enumerate().for_each(|(index, values)| each(index, values));
                }
                _ => (0..batch).for_each(|index| {
                    row.clear();
                    let parts = widths.iter().zip(made);
                    parts.for_each(|(&width, (_, values))| row.extend(&values[index * width..][..width]));
                    each(index, row);
                }),
            }
            Ok(())
        })?
    }

    /// Floats of one sample in each output, or the shape of an output that is not one row for it.
    fn probe(&mut self) -> Result<Result<Vec<usize>, String>, String> {
        let zeros = vec![0.0; self.row()];
        let width = |&(dims, values): &Made<'_>| match dims {
            [1, _, ..] if !values.is_empty() => Ok(values.len()),
            _ => Err(format!("of shape {dims:?}")),
        };
        run_raw(&mut self.session, self.size, &zeros, |made| made.iter().map(width).collect())
    }
}

/// An output: its shape, and its elements.
type Made<'a> = (&'a [i64], &'a [f32]);

/// Runs whole rows, and gives all outputs to `read`.
fn run_raw<T>(
    session: &mut OrtSession,
    size: Size,
    rows: &[f32],
    read: impl FnOnce(&[Made<'_>]) -> T,
) -> Result<T, String> {
    let said = |error: ort::Error| error.to_string();
    let (height, width) = (size.height as usize, size.width as usize);
    let batch = rows.len() / row_of(size);
    let input = TensorRef::from_array_view(([batch, 3, height, width], rows)).map_err(said)?;
    let outputs = session.run(ort::inputs![input]).map_err(said)?;
    let made = (0..outputs.len()).map(|place| {
        let (dims, values) = outputs[place].try_extract_tensor::<f32>()?;
        Ok((&dims[..], values))
    });
    let made: Vec<_> = made.collect::<Result<_, _>>().map_err(said)?;
    Ok(read(&made))
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
