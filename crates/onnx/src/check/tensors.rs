//! The check of a tensor: its data are in the file, and no larger than its bytes.

use crate::error::OnnxError;
use crate::schema::tensor;
use crate::walk::text_in;
use crate::wire::{Payload, fields, varints};

/// Elements that share a byte where they are packed most densely (`INT2`).
const MAX_ELEMENTS_PER_BYTE: u64 = 4;

pub(super) fn check_tensor(bytes: &[u8]) -> Result<(), OnnxError> {
    let mut elements = 1_u64;
    let mut external = false;
    let mut grow = |dim: u64| elements = elements.saturating_mul(dim);
    for field in fields(bytes) {
        let field = field?;
        match (field.number, field.payload) {
            (tensor::DIMS, Payload::Varint(dim)) => grow(dim),
            (tensor::DIMS, Payload::Bytes(packed)) => {
                for dim in varints(packed) {
                    grow(dim?);
                }
            }
            (tensor::EXTERNAL_DATA, _) => external = true,
            (tensor::DATA_LOCATION, _) => external |= field.number()? == tensor::LOCATION_EXTERNAL,
            _ => {}
        }
    }
    let name = || text_in(bytes, tensor::NAME).map(str::to_owned);
    if external {
        return Err(OnnxError::ExternalData { name: name()? });
    }
    // A negative length reads as a huge one.
    if elements > (bytes.len() as u64).saturating_mul(MAX_ELEMENTS_PER_BYTE) {
        return Err(OnnxError::TensorSize { name: name()?, bytes: bytes.len() });
    }
    Ok(())
}
