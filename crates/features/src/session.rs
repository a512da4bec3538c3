//! One ONNX Runtime session: a batch of finished tensors in, a row of features for each out.
//!
//! `ort` lets one thread at a time run a session, and so every worker has its own. Sessions do not share weights: on
//! the CPU ONNX Runtime rearranges convolution weights for each session, and would share nothing if asked to.
//!
//! Why not bind inputs and outputs (`IoBinding`)? Every run has another input, which has to travel in any case and does
//! so straight out of page-locked memory; and features are a few thousandths of the pixels' bytes.

use headwater_types::Size;
use ort::logging::LogLevel;
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::Session as OrtSession;
use ort::session::builder::SessionBuilder;
use ort::value::TensorRef;

use crate::device::{Device, Gpu};
use crate::driver::{Driver, lacking};
use crate::error::ModelError;
use crate::model::Model;
use crate::provider::Target;
use crate::rows::{Fed, Rows};
use crate::runtime::Runtime;

pub(crate) struct Session {
    session: OrtSession,
    device: Device,
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
        target: &Target,
        threads: usize,
    ) -> Result<Self, ModelError> {
        let (name, device) = (&model.name, target.device);
        let refused = |reason: String| match device {
            Device::Cpu => ModelError::Runtime { name: name.clone(), reason },
            _ => {
                let lacking = lacking(device, runtime.library(), Driver::read().as_ref());
                ModelError::Device { name: name.clone(), device, reason, lacking }
            }
        };
        let builder = options(runtime, device, threads).map_err(|error| refused(error.to_string()))?;
        let builder = builder.with_execution_providers(target.providers());
        let mut builder = builder.map_err(|error| refused(error.to_string()))?;
        let session = builder.commit_from_memory(&model.bytes).map_err(|error| refused(error.to_string()))?;
        let (widths, row) = (Vec::new(), Vec::new());
        let mut session = Self { session, device, size, widths, threads, row };
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

    /// Rows for batches of at most so many samples, in memory that the device reads best.
    pub(crate) fn rows(&self, most: usize) -> Result<Rows, String> {
        let Some(gpu) = self.device.gpu() else { return Ok(Rows::plain(self.row(), most)) };
        let locked = locked_memory(&self.session, gpu);
        let rows = locked.and_then(|locked| Rows::blocks(&locked, self.size, most));
        rows.or_else(|reason| {
            let device = self.device;
            tracing::warn!(%device, %reason, "there is no page-locked memory: pixels travel to the GPU more slowly");
            Rows::blocks(&Allocator::default(), self.size, most).map_err(|error| error.to_string())
        })
    }

    /// Runs every number of samples once that will be run, so that no batch waits for its first time.
    pub(crate) fn warm(&mut self, rows: &mut Rows) -> Result<(), String> {
        for samples in rows.numbers() {
            rows.begin(samples);
            self.run(rows, (0, samples), |_, _| {})?;
        }
        Ok(())
    }

    /// Runs so many whole rows from the first on, read where they lie, and gives each one's features to `each` in their
    /// order.
    pub(crate) fn run(
        &mut self,
        rows: &Rows,
        (first, samples): (usize, usize),
        mut each: impl FnMut(usize, &[f32]),
    ) -> Result<(), String> {
        let Self { session, size, widths, row, .. } = self;
        run_raw(session, *size, &rows.fed(first, samples), |batch, made| {
            for (&width, (dims, values)) in widths.iter().zip(made) {
                if dims.first() != Some(&(batch as i64)) || values.len() != batch * width {
                    return Err(format!("{batch} samples gave an output of shape {dims:?}, not {batch} x {width}"));
                }
            }
            match (&widths[..], made) {
                (&[width], &[(_, values)]) => {
                    let asked_for = values.chunks_exact(width).take(samples).enumerate();
                    asked_for.for_each(|(index, values)| each(index, values));
                }
                _ => (0..samples.min(batch)).for_each(|index| {
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
        run_raw(&mut self.session, self.size, &Fed::Slice(&zeros), |_, made| made.iter().map(width).collect())
    }
}

/// An output: its axes, and its elements.
type Made<'a> = (&'a [i64], &'a [f32]);

/// Runs what is fed. `read`: the samples of the run, and all outputs.
fn run_raw<T>(
    session: &mut OrtSession,
    size: Size,
    fed: &Fed<'_>,
    read: impl FnOnce(usize, &[Made<'_>]) -> T,
) -> Result<T, String> {
    let said = |error: ort::Error| error.to_string();
    let (height, width) = (size.height as usize, size.width as usize);
    let (batch, outputs) = match fed {
        Fed::Slice(rows) => {
            let batch = rows.len() / row_of(size);
            let input = TensorRef::from_array_view(([batch, 3, height, width], *rows)).map_err(said)?;
            (batch, session.run(ort::inputs![input]).map_err(said)?)
        }
        Fed::Block(block) => {
            let batch = block.shape().first().map_or(0, |&batch| usize::try_from(batch).unwrap_or(0));
            (batch, session.run(ort::inputs![*block]).map_err(said)?)
        }
    };
    let made = (0..outputs.len()).map(|place| {
        let (dims, values) = outputs[place].try_extract_tensor::<f32>()?;
        Ok((&dims[..], values))
    });
    let made: Vec<_> = made.collect::<Result<_, _>>().map_err(said)?;
    Ok(read(batch, &made))
}

/// Floats of one input of this size.
pub(crate) fn row_of(size: Size) -> usize {
    3 * size.height as usize * size.width as usize
}

/// How a session of so many threads is opened, before its device's providers are named; on an accelerator without the
/// CPU, which would run silently what the device does not take.
pub(crate) fn options(runtime: &Runtime, device: Device, threads: usize) -> Result<SessionBuilder, ort::Error> {
    let builder = OrtSession::builder(&runtime.environment)?
        .with_log_level(LogLevel::Warning)?
        .with_intra_threads(threads)?
        // A thread that spins while it waits takes a core from decoding.
        .with_intra_op_spinning(false)?;
    match device.is_accelerator() {
        true => Ok(builder.with_disable_cpu_fallback()?),
        false => Ok(builder),
    }
}

/// Memory of this machine out of which a GPU reads by itself.
fn locked_memory(session: &OrtSession, gpu: Gpu) -> Result<Allocator, ort::Error> {
    let number = gpu.0.into();
    let place = MemoryInfo::new(AllocationDevice::CUDA_PINNED, number, AllocatorType::Device, MemoryType::CPUInput)?;
    Allocator::new(session, place)
}

#[cfg(test)]
mod tests {
    use headwater_onnx::{Dim, GraphBuilder, ValueFacts};
    use headwater_types::Digest;

    use super::*;
    use crate::precision::Precision;

    const SIZE: Size = Size { width: 4, height: 2 };

    /// The mean of each channel.
    fn model() -> Model {
        let dims = [Dim::symbol("N"), Dim::Fixed(3), Dim::Fixed(2), Dim::Fixed(4)];
        let mut graph = GraphBuilder::new("means");
        graph.input(&ValueFacts::float32("input", &dims));
        graph.global_average_pool("pool", "input").flatten("features", "pool");
        graph.output(&ValueFacts::float32("features", &[Dim::symbol("N"), Dim::Fixed(3)]));
        let bytes = graph.finish();
        Model {
            name: "means".parse().unwrap(),
            digest: Digest::of(&bytes),
            bytes,
            output: "features".to_owned(),
            fixed_batch: None,
        }
    }

    /// In a process of their own: other tests of this one need that no library is loaded.
    #[test]
    fn tests_that_load_the_runtime_pass() {
        let mut these = std::process::Command::new(std::env::current_exe().unwrap());
        assert!(these.args(["--ignored", "--test-threads=1"]).status().unwrap().success());
    }

    /// As on an accelerator, in memory of the CPU.
    #[test]
    #[ignore = "loads ONNX Runtime: the test above runs it in a process of its own"]
    fn samples_have_their_own_features_whatever_is_behind_them_in_the_tensor() {
        let Ok(runtime) = Runtime::load(None) else { return println!("skipped: no ONNX Runtime") };
        let target = Target { device: Device::Cpu, precision: Precision::Fp32, shapes: None, engines: None };
        let mut session = Session::open(&runtime, &model(), SIZE, &target, 1).unwrap();
        let mut rows = Rows::blocks(&Allocator::default(), SIZE, 6).unwrap();
        session.warm(&mut rows).unwrap();
        for samples in [6, 1, 3, 5, 2] {
            rows.begin(samples);
            (0..samples).for_each(|sample| rows.row_mut(sample).fill((10 * samples + sample) as f32));
            for (first, run) in [(0, samples), (0, samples.div_ceil(2)), (samples - 1, 1)] {
                let mut found = Vec::new();
                session.run(&rows, (first, run), |index, features| found.push((index, features.to_vec()))).unwrap();
                let expected = (0..run).map(|index| (index, vec![(10 * samples + first + index) as f32; 3]));
                assert_eq!(found, expected.collect::<Vec<_>>(), "{run} of {samples} from {first}");
            }
        }
    }
}
