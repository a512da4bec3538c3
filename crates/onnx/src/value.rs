//! A model's inputs and outputs: name, element type, shape.

use std::fmt;

use crate::error::OnnxError;
use crate::schema::{dim, shape, tensor_type, type_proto, value_info};
use crate::wire::{Writer, fields};

/// An input or output of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueFacts {
    /// The value's name.
    pub name: String,
    /// Type of the value's elements; `None` for a value that is no dense tensor.
    pub element: Option<ElementType>,
    /// The value's axes, outermost first; `None` where not even their number is stated.
    pub dims: Option<Vec<Dim>>,
}

/// One axis of a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dim {
    /// An axis of this length.
    Fixed(u64),
    /// An axis of any length, which is the same wherever the name appears.
    Symbol(String),
    /// An axis of any length.
    Unknown,
}

/// Type of a tensor's elements: `TensorProto.DataType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElementType(pub u64);

/// Most axes of a shape. No network has more, and a shape is read into memory.
pub(crate) const MAX_RANK: usize = 64;

const NAMES: [&str; 17] = [
    "undefined",
    "float32",
    "uint8",
    "int8",
    "uint16",
    "int16",
    "int32",
    "int64",
    "string",
    "bool",
    "float16",
    "float64",
    "uint32",
    "uint64",
    "complex64",
    "complex128",
    "bfloat16",
];

// === impl ElementType ===

impl ElementType {
    /// No type, or none that is said.
    pub const UNDEFINED: Self = Self(0);
    /// A 32-bit float (IEEE 754 binary32).
    pub const FLOAT32: Self = Self(1);
    /// A byte without a sign.
    pub const UINT8: Self = Self(2);
    /// A byte with a sign.
    pub const INT8: Self = Self(3);
    /// A signed 64-bit number.
    pub const INT64: Self = Self(7);
    /// A 16-bit float (IEEE 754 binary16).
    pub const FLOAT16: Self = Self(10);
    /// A 64-bit float (IEEE 754 binary64).
    pub const FLOAT64: Self = Self(11);
    /// The upper half of a 32-bit float.
    pub const BFLOAT16: Self = Self(16);
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match usize::try_from(self.0).ok().and_then(|index| NAMES.get(index)) {
            Some(name) => f.write_str(name),
            None => write!(f, "type {}", self.0),
        }
    }
}

// === impl ValueFacts ===

impl ValueFacts {
    /// A float32 tensor.
    pub fn float32(name: &str, dims: &[Dim]) -> Self {
        Self { name: name.to_owned(), element: Some(ElementType::FLOAT32), dims: Some(dims.to_vec()) }
    }

    pub(crate) fn read(message: &[u8]) -> Result<Self, OnnxError> {
        let mut facts = Self { name: String::new(), element: None, dims: None };
        for field in fields(message) {
            let field = field?;
            match field.number {
                value_info::NAME => facts.name = field.text()?.to_owned(),
                value_info::TYPE => {
                    for field in fields(field.bytes()?) {
                        let field = field?;
                        if field.number == type_proto::TENSOR {
                            facts.read_tensor_type(field.bytes()?)?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(facts)
    }

    fn read_tensor_type(&mut self, message: &[u8]) -> Result<(), OnnxError> {
        for field in fields(message) {
            let field = field?;
            match field.number {
                tensor_type::ELEMENT => self.element = Some(ElementType(field.number()?)),
                tensor_type::SHAPE => self.dims = Some(read_shape(field.bytes()?)?),
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        out.text(value_info::NAME, &self.name);
        let Some(element) = self.element else { return };
        out.message(value_info::TYPE, |out| {
            out.message(type_proto::TENSOR, |out| {
                out.number(tensor_type::ELEMENT, element.0);
                if let Some(dims) = &self.dims {
                    out.message(tensor_type::SHAPE, |out| {
                        dims.iter().for_each(|dim| out.message(shape::DIM, |out| dim.write(out)));
                    });
                }
            });
        });
    }
}

impl fmt::Display for ValueFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.name)?;
        match self.element {
            Some(element) => write!(f, "{element} ")?,
            None => return f.write_str("(not a tensor)"),
        }
        match &self.dims {
            Some(dims) => write!(f, "[{}]", dims.iter().map(Dim::to_string).collect::<Vec<_>>().join(", ")),
            None => f.write_str("of any shape"),
        }
    }
}

fn read_shape(message: &[u8]) -> Result<Vec<Dim>, OnnxError> {
    let mut dims = Vec::new();
    for field in fields(message) {
        let field = field?;
        if field.number != shape::DIM {
            continue;
        }
        if dims.len() == MAX_RANK {
            return Err(OnnxError::TooMany { what: "axes in one shape", limit: MAX_RANK });
        }
        dims.push(Dim::read(field.bytes()?)?);
    }
    Ok(dims)
}

// === impl Dim ===

impl Dim {
    /// A named axis.
    pub fn symbol(name: &str) -> Self {
        Self::Symbol(name.to_owned())
    }

    /// Whether an axis of this length fits.
    pub fn admits(&self, length: u64) -> bool {
        match self {
            Self::Fixed(fixed) => *fixed == length,
            Self::Symbol(_) | Self::Unknown => true,
        }
    }

    fn read(message: &[u8]) -> Result<Self, OnnxError> {
        let mut read = Self::Unknown;
        for field in fields(message) {
            let field = field?;
            match field.number {
                // A negative length is some exporters' way to say that it is not known.
                dim::VALUE => {
                    read = u64::try_from(field.number()?.cast_signed()).map_or(Self::Unknown, Self::Fixed);
                }
                dim::PARAM if !field.bytes()?.is_empty() => read = Self::symbol(field.text()?),
                _ => {}
            }
        }
        Ok(read)
    }

    fn write(&self, out: &mut Writer) {
        match self {
            Self::Fixed(value) => out.number(dim::VALUE, *value),
            Self::Symbol(name) => out.text(dim::PARAM, name),
            Self::Unknown => {}
        }
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(value) => write!(f, "{value}"),
            Self::Symbol(name) => f.write_str(name),
            Self::Unknown => f.write_str("?"),
        }
    }
}
