//! The back of a cut network: from the tensors at the cut, which servers make, to the features.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use headwater_onnx::{Dim, ValueFacts};
use headwater_types::{ByteCount, Digest, ModelName, NetworkCut, Recipe, SampleFailure};

use crate::error::ModelError;
use crate::job::inference_failure;
use crate::model::Model;
use crate::part::{Elements, Part, PartTensor};
use crate::runtime::Runtime;
use crate::spec::ModelSpec;

/// A back, open on several threads: each runs one sample at a time, so that a sample has the same bits wherever it
/// runs.
pub struct Back {
    /// Sessions that nobody runs at the moment.
    idle: Mutex<Vec<Part>>,
    /// The axes of each tensor at the cut, for one sample.
    dims: Vec<Vec<usize>>,
    front: Digest,
}

// === impl Back ===

impl Back {
    /// Reads a model, cuts its network at these tensors, and opens what lies behind them, for as many threads as run it
    /// at once. Blocks for tenths of a second.
    ///
    /// # Errors
    /// A model that cannot be read or run, a cut that it does not have or that does not travel.
    pub fn open(
        runtime: &Arc<Runtime>,
        (spec, recipe): (&ModelSpec, &Recipe),
        cut: &NetworkCut,
        (threads, max_bytes): (NonZeroUsize, ByteCount),
    ) -> Result<Self, ModelError> {
        let model = Model::read(spec, recipe, max_bytes)?;
        let at = at_cut(runtime, &model.front(cut, max_bytes)?, cut, recipe)?;
        let back = model.back(&at, max_bytes)?;
        let open = |_| Part::open(runtime, &back, 1).map_err(|error| refused(&model.name, &error.to_string()));
        let idle: Vec<_> = (0..threads.get()).map(open).collect::<Result<_, _>>()?;
        let dims = at.iter().map(of_one).collect();
        Ok(Self { idle: Mutex::new(idle), dims, front: cut.digest(model.digest, &model.output) })
    }

    /// What the front is known by at the servers: see [`NetworkCut::digest`].
    pub fn front(&self) -> Digest {
        self.front
    }

    /// Elements of all tensors at the cut, for one sample.
    pub fn elements(&self) -> usize {
        self.dims.iter().map(|dims| dims.iter().product::<usize>()).sum()
    }

    /// The features of a sample, of the elements of its tensors at the cut. At most as many threads run it as it was
    /// opened for.
    ///
    /// # Errors
    /// `Inference` for another number of elements, and where ONNX Runtime cannot run it.
    pub fn features(&self, row: &[f32]) -> Result<Vec<f32>, SampleFailure> {
        if row.len() != self.elements() {
            return Err(inference_failure(format!("{} elements came, and it takes {}", row.len(), self.elements())));
        }
        let mut rest = row;
        let mut fed = Vec::with_capacity(self.dims.len());
        for dims in &self.dims {
            let (values, behind) = rest.split_at(dims.iter().product());
            fed.push(PartTensor { dims: dims.clone(), elements: Elements::Float32(values.to_vec()) });
            rest = behind;
        }
        let part = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut part = part.ok_or_else(|| inference_failure("more threads run it than it was opened for"))?;
        let made = part.run(&fed.iter().collect::<Vec<_>>());
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(part);
        match made.map_err(inference_failure)?.into_iter().next() {
            Some(Some(PartTensor { elements: Elements::Float32(features), .. })) => Ok(features),
            _ => Err(inference_failure("it gives no float32")),
        }
    }
}

/// Type and shape of the tensors at a cut, by running the front on one image.
fn at_cut(runtime: &Runtime, front: &Model, cut: &NetworkCut, recipe: &Recipe) -> Result<Vec<ValueFacts>, ModelError> {
    let failed = |error: &dyn std::fmt::Display| refused(&front.name, &error.to_string());
    let size = recipe.output_size();
    let dims = vec![1, 3, size.height as usize, size.width as usize];
    let image = PartTensor { elements: Elements::Float32(vec![0.0; dims.iter().product()]), dims };
    let mut part = Part::open(runtime, &front.bytes, 1).map_err(|error| failed(&error))?;
    let made = part.run(&[&image]).map_err(|error| failed(&error))?;
    let facts = |(name, tensor): (&String, Option<PartTensor>)| {
        let wrong = |actual: String| {
            let (name, tensor) = (front.name.clone(), name.clone());
            ModelError::CutTensor { name, tensor, actual }
        };
        match tensor {
            Some(PartTensor { dims, elements: Elements::Float32(_) }) if dims.len() > 1 && dims[0] == 1 => {
                let axes = dims[1..].iter().map(|&length| Dim::Fixed(length as u64));
                let dims: Vec<_> = std::iter::once(Dim::Unknown).chain(axes).collect();
                Ok(ValueFacts::float32(name, &dims))
            }
            Some(tensor) => Err(wrong(format!("{} of shape {:?}", tensor.element(), tensor.dims))),
            None => Err(wrong("of another type".to_owned())),
        }
    };
    cut.tensors().iter().zip(made).map(facts).collect()
}

/// The axes of a tensor of one sample.
fn of_one(facts: &ValueFacts) -> Vec<usize> {
    let length = |dim: &Dim| match dim {
        Dim::Fixed(length) => usize::try_from(*length).unwrap_or(usize::MAX),
        Dim::Symbol(_) | Dim::Unknown => 1,
    };
    facts.dims.iter().flatten().map(length).collect()
}

fn refused(name: &ModelName, reason: &str) -> ModelError {
    ModelError::Runtime { name: name.clone(), reason: reason.to_owned() }
}
