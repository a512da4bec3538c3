//! Tensors whose data lie in other files, beside the model's: what exporters write of large models, and PyTorch since
//! 2.9 of every model.
//!
//! ```text
//! model.onnx       TensorProto { name, dims, type, data_location: EXTERNAL, external_data: location offset length }
//!                                                                                           │        │      │
//! model.onnx.data  ........................................................................ │ [offset, +length) ...
//! ```
//!
//! Such a model is taken in: each tensor gets its bytes as `raw_data`, as if it had been saved as one file. So a digest
//! of the model is one of all its data, and whatever reads models afterwards knows one form of them. A model that ends
//! up past 2 GiB is refused, since protobuf ends there.

mod kind;
mod place;

pub use place::Outside;

use kind::Kind;
use place::outside_of;

use headwater_types::ByteCount;

use crate::error::OnnxError;
use crate::limits::Limits;
use crate::schema::tensor;
use crate::wire::{Parts, fields};

/// The data that lie beside the model, in the order of the model's file. Takes time linear in the bytes.
///
/// # Errors
/// `ExternalPlace` for data that are not in a file of the model's folder, or not of the tensor's size;
/// `ExternalTooLarge` where the whole would be past the limit; `TooMany` and `Malformed` as for every model.
pub fn outside<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Vec<Outside<'a>>, OnnxError> {
    let mut finder = Finder { limits, found: Vec::new(), parts: 0 };
    finder.walk(Kind::Model, bytes, 0)?;
    let lengths = finder.found.iter().map(|outside| outside.length);
    let actual = lengths.fold(bytes.len() as u64, u64::saturating_add);
    within(actual, limits)?;
    Ok(finder.found)
}

/// The model with these data in the places of those that lie outside, in the order of [`outside`]. A model without any
/// comes back byte for byte.
///
/// # Errors
/// Those of [`outside`], and `Malformed` where there are more or fewer data than tensors that need some.
pub fn take_in(bytes: &[u8], data: Vec<Vec<u8>>, limits: &Limits) -> Result<Vec<u8>, OnnxError> {
    let wanted = outside(bytes, limits)?;
    let fits = wanted.len() == data.len()
        && wanted.iter().zip(&data).all(|(outside, data)| outside.length == data.len() as u64);
    if !fits {
        return Err(OnnxError::Malformed("the data beside it are not those of its tensors"));
    }
    if data.is_empty() {
        return Ok(bytes.to_vec());
    }
    let whole = Filler { data: data.into_iter() }.fill(Kind::Model, bytes)?.finish();
    within(whole.len() as u64, limits)?;
    Ok(whole)
}

fn within(actual: u64, limits: &Limits) -> Result<(), OnnxError> {
    match actual > limits.max_bytes.get() {
        true => Err(OnnxError::ExternalTooLarge { actual: ByteCount::new(actual), limit: limits.max_bytes }),
        false => Ok(()),
    }
}

/// What has been found so far.
struct Finder<'a, 'l> {
    limits: &'l Limits,
    found: Vec<Outside<'a>>,
    parts: usize,
}

/// The data that have still to be filled in.
struct Filler {
    data: std::vec::IntoIter<Vec<u8>>,
}

// === impl Finder ===

impl<'a> Finder<'a, '_> {
    fn walk(&mut self, kind: Kind, bytes: &'a [u8], depth: usize) -> Result<(), OnnxError> {
        let Limits { max_nodes, max_depth, .. } = *self.limits;
        // The model's own graph is none within another.
        if depth > max_depth + 1 {
            return Err(OnnxError::TooMany { what: "graphs within graphs", limit: max_depth });
        }
        for field in fields(bytes) {
            let field = field?;
            let Some(inner) = kind.within(field.number) else { continue };
            self.parts += 1;
            if self.parts > max_nodes {
                return Err(OnnxError::TooMany { what: "operators and tensors", limit: max_nodes });
            }
            match inner {
                Kind::Tensor => self.found.extend(outside_of(field.bytes()?)?),
                _ => self.walk(inner, field.bytes()?, depth + usize::from(inner == Kind::Graph))?,
            }
        }
        Ok(())
    }
}

// === impl Filler ===

impl Filler {
    fn fill<'a>(&mut self, kind: Kind, bytes: &'a [u8]) -> Result<Parts<'a>, OnnxError> {
        let mut out = Parts::default();
        for field in fields(bytes) {
            let field = field?;
            match kind.within(field.number) {
                None => out.carry(&field),
                Some(Kind::Tensor) => match outside_of(field.bytes()?)? {
                    None => out.carry(&field),
                    Some(_) => out.nest(field.number, self.tensor(field.bytes()?)?),
                },
                Some(inner) => out.nest(field.number, self.fill(inner, field.bytes()?)?),
            }
        }
        Ok(out)
    }

    fn tensor<'a>(&mut self, bytes: &'a [u8]) -> Result<Parts<'a>, OnnxError> {
        let mut out = Parts::default();
        for field in fields(bytes) {
            let field = field?;
            if !matches!(field.number, tensor::EXTERNAL_DATA | tensor::DATA_LOCATION) {
                out.carry(&field);
            }
        }
        let mut data = Parts::default();
        data.append(self.data.next().unwrap_or_default());
        out.nest(tensor::RAW_DATA, data);
        Ok(out)
    }
}

#[cfg(test)]
mod tests;
