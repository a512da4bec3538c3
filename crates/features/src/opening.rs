//! The sessions of a model: on each of its devices as many as that takes, ready to run.

use std::path::Path;
use std::time::Instant;

use headwater_onnx::{Limits, check};
use headwater_types::Size;

use crate::batch_size;
use crate::device::Device;
use crate::driver::Driver;
use crate::engines::Engines;
use crate::error::ModelError;
use crate::model::Model;
use crate::options::ExtractorOptions;
use crate::provider::{Shapes, Target};
use crate::rows::Rows;
use crate::runtime::Runtime;
use crate::session::{Session, row_of};
use crate::workers::division;

/// What sessions are opened of.
pub(crate) struct Opening<'a> {
    runtime: &'a Runtime,
    model: &'a Model,
    size: Size,
    options: &'a ExtractorOptions,
    shapes: Option<Shapes>,
}

// === impl Opening ===

impl<'a> Opening<'a> {
    pub(crate) fn new(
        runtime: &'a Runtime,
        model: &'a Model,
        size: Size,
        options: &'a ExtractorOptions,
    ) -> Result<Self, ModelError> {
        let name = || model.name.clone();
        options.precision.check(&options.devices).map_err(|source| ModelError::Precision { name: name(), source })?;
        let shapes = match options.devices.first() {
            Device::Cpu | Device::Cuda(_) => None,
            Device::TensorRt(_) => shapes(model, size, options)?,
        };
        Ok(Self { runtime, model, size, options, shapes })
    }

    /// A session on the first device, with nothing allocated but its weights.
    pub(crate) fn first(&self) -> Result<Session, ModelError> {
        self.open(self.options.devices.first())
    }

    /// All sessions, each with its rows for batches of at most so many samples.
    pub(crate) fn sessions(&self, max_batch: usize) -> Result<Vec<(Session, Rows)>, ModelError> {
        let (on_each, _) = division(self.options);
        let failed = |reason| ModelError::Runtime { name: self.model.name.clone(), reason };
        let mut sessions = Vec::new();
        for device in self.options.devices.iter() {
            for _ in 0..on_each {
                let began = Instant::now();
                let mut session = self.open(device)?;
                let mut rows = session.rows(max_batch).map_err(failed)?;
                session.warm(&mut rows).map_err(failed)?;
                tracing::debug!(%device, seconds = began.elapsed().as_secs_f64(), "opened a session");
                sessions.push((session, rows));
            }
        }
        Ok(sessions)
    }

    fn open(&self, device: Device) -> Result<Session, ModelError> {
        let (precision, shapes) = (self.options.precision, self.shapes.clone());
        let target = Target { device, precision, shapes, engines: None };
        let open = |engines: Option<&Path>| {
            let target = Target { engines: engines.map(Path::to_owned), ..target.clone() };
            let (_, threads) = division(self.options);
            Session::open(self.runtime, self.model, self.size, &target, threads)
        };
        match (device, &self.options.engines) {
            (Device::TensorRt(_), Some(folder)) => match Driver::read() {
                Some(driver) => Engines::of(folder, self.model, &target, &driver, self.runtime).open(open),
                None => {
                    let folder = folder.display();
                    tracing::warn!(%folder, "TensorRT's engines are not kept: the driver does not say which it is");
                    open(None)
                }
            },
            (Device::TensorRt(_) | Device::Cuda(_) | Device::Cpu, _) => open(None),
        }
    }
}

/// The inputs for which TensorRT is to build its engine; `None` where it is to find out by itself.
fn shapes(model: &Model, size: Size, options: &ExtractorOptions) -> Result<Option<Shapes>, ModelError> {
    if model.fixed_batch.is_some() {
        return Ok(None);
    }
    let limits = Limits { max_bytes: options.max_model, ..Limits::default() };
    let facts = check(&model.bytes, &limits);
    let facts = facts.map_err(|source| ModelError::Onnx { name: model.name.clone(), source })?;
    let input = facts.inputs.into_iter().next().map(|input| input.name).unwrap_or_default();
    // TensorRT's settings part names and shapes by these.
    if input.contains([':', ',', ';']) {
        let model = &model.name;
        tracing::warn!(%model, %input, "its input's name cannot be said to TensorRT, which builds several engines");
        return Ok(None);
    }
    Ok(Some(Shapes { input, size, most: batch_size::most(options, row_of(size)) }))
}
