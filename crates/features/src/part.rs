//! A part of a network: any ONNX bytes with any number of tensors in and out, run one batch at a time on the CPU.
//!
//! Servers run extractors (`session`), which take images and give features. Parts are for who cuts networks: what goes
//! in and comes out are tensors of several types and shapes.

use headwater_onnx::ElementType;
use ort::session::Session;
use ort::value::{DynValue, TensorRef};

use crate::device::Device;
use crate::runtime::Runtime;
use crate::session::options;

/// Elements of a tensor, of the types that parts take and give.
#[derive(Clone, Debug, PartialEq)]
pub enum Elements {
    /// 32-bit floats.
    Float32(Vec<f32>),
    /// Bytes without a sign.
    Uint8(Vec<u8>),
    /// Bytes with a sign.
    Int8(Vec<i8>),
}

/// A tensor that goes into a part, or comes out of one.
#[derive(Clone, Debug, PartialEq)]
pub struct PartTensor {
    /// Lengths of its axes, outermost first.
    pub dims: Vec<usize>,
    /// Its elements, the last axis together.
    pub elements: Elements,
}

/// A part of a network, open.
pub struct Part {
    session: Session,
}

/// Why a part cannot be opened or run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// ONNX Runtime refuses it.
    #[error("ONNX Runtime cannot load or run it: {0}")]
    Runtime(String),
    /// There is not one tensor for each input.
    #[error("it takes {expected} tensors, and was given {given}")]
    Inputs {
        /// The part's inputs.
        expected: usize,
        /// The tensors that were given.
        given: usize,
    },
}

impl From<ort::Error> for PartError {
    fn from(error: ort::Error) -> Self {
        Self::Runtime(error.to_string())
    }
}

// === impl Part ===

impl Part {
    /// Opens a part, to run on so many threads.
    ///
    /// # Errors
    /// Bytes that ONNX Runtime does not take.
    pub fn open(runtime: &Runtime, onnx: &[u8], threads: usize) -> Result<Self, PartError> {
        let refused = |error: ort::Error<_>| PartError::Runtime(error.to_string());
        let session = options(runtime, Device::Cpu, threads)?.commit_from_memory(onnx).map_err(refused)?;
        Ok(Self { session })
    }

    /// Runs the part. `fed`: a tensor for each input, in their order. What comes out is in the outputs' order; `None`
    /// for an output of a type that parts do not give.
    ///
    /// # Errors
    /// Another number of tensors than of inputs, and what ONNX Runtime says.
    pub fn run(&mut self, fed: &[&PartTensor]) -> Result<Vec<Option<PartTensor>>, PartError> {
        let names: Vec<_> = self.session.inputs().iter().map(|input| input.name().to_owned()).collect();
        if names.len() != fed.len() {
            return Err(PartError::Inputs { expected: names.len(), given: fed.len() });
        }
        let inputs =
            names.into_iter().zip(fed.iter().copied().map(PartTensor::lent)).map(|(name, value)| Ok((name, value?)));
        let inputs = inputs.collect::<Result<Vec<_>, ort::Error>>()?;
        let outputs = self.session.run(inputs)?;
        Ok((0..outputs.len()).map(|place| PartTensor::of(&outputs[place])).collect())
    }
}

// === impl PartTensor ===

impl PartTensor {
    /// What its elements are.
    pub fn element(&self) -> ElementType {
        match self.elements {
            Elements::Float32(_) => ElementType::FLOAT32,
            Elements::Uint8(_) => ElementType::UINT8,
            Elements::Int8(_) => ElementType::INT8,
        }
    }

    /// Bytes of one element.
    pub fn width(&self) -> usize {
        match self.elements {
            Elements::Float32(_) => 4,
            Elements::Uint8(_) | Elements::Int8(_) => 1,
        }
    }

    /// Its elements as bytes, the least significant of each first.
    pub fn to_bytes(&self) -> Vec<u8> {
        match &self.elements {
            Elements::Float32(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Elements::Uint8(values) => values.clone(),
            Elements::Int8(values) => values.iter().map(|value| value.cast_unsigned()).collect(),
        }
    }

    /// The tensor of several images, whose first axis is theirs: as many of each as `times`, one image after the other.
    pub fn repeated(&self, times: usize) -> Self {
        let mut dims = self.dims.clone();
        dims.first_mut().into_iter().for_each(|batch| *batch *= times);
        let elements = match &self.elements {
            Elements::Float32(values) => Elements::Float32(values.repeat(times)),
            Elements::Uint8(values) => Elements::Uint8(values.repeat(times)),
            Elements::Int8(values) => Elements::Int8(values.repeat(times)),
        };
        Self { dims, elements }
    }

    fn lent(&self) -> Result<ort::session::SessionInputValue<'_>, ort::Error> {
        let dims = self.dims.clone();
        Ok(match &self.elements {
            Elements::Float32(values) => TensorRef::from_array_view((dims, &values[..]))?.into(),
            Elements::Uint8(values) => TensorRef::from_array_view((dims, &values[..]))?.into(),
            Elements::Int8(values) => TensorRef::from_array_view((dims, &values[..]))?.into(),
        })
    }

    fn of(value: &DynValue) -> Option<Self> {
        let lengths = |dims: &[i64]| dims.iter().map(|&dim| usize::try_from(dim).unwrap_or(0)).collect();
        if let Ok((dims, values)) = value.try_extract_tensor::<f32>() {
            return Some(Self { dims: lengths(dims), elements: Elements::Float32(values.to_vec()) });
        }
        if let Ok((dims, values)) = value.try_extract_tensor::<u8>() {
            return Some(Self { dims: lengths(dims), elements: Elements::Uint8(values.to_vec()) });
        }
        let (dims, values) = value.try_extract_tensor::<i8>().ok()?;
        Some(Self { dims: lengths(dims), elements: Elements::Int8(values.to_vec()) })
    }
}
