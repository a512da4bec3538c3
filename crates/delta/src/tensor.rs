//! One tensor without a base, coded without loss: byte planes, each packed by Zstandard where that makes it shorter.
//! Activations of a network between two halves travel so.
//!
//! ```text
//! tensor = plane for each byte of an element      plane: see `planes`
//! ```
//!
//! Type and shape travel beside the coded bytes. Invariant: [`Unpack::decode`] gives back what [`Pack::encode`] was
//! given, or an error, and takes no more memory than the tensor and one plane of it.

use crate::error::DeltaError;
use crate::packer::{Packer, Unpacker};
use crate::planes::{self, Planes};

/// Codes tensors, one after the other, with memory that is taken once.
#[derive(Default)]
pub struct Pack(Packer);

/// Decodes tensors, one after the other.
#[derive(Default)]
pub struct Unpack(Unpacker);

/// Most bytes of an element: those of a 64-bit number.
const WIDEST: usize = 8;

// === impl Pack ===

impl Pack {
    /// Codes a tensor of elements of `width` bytes (1 to 8), the least significant byte of each first. `None` where the
    /// bytes are no whole number of elements, and where they are not fewer when coded.
    pub fn encode(&mut self, bytes: &[u8], width: usize) -> Option<Vec<u8>> {
        if !(1..=WIDEST).contains(&width) || !bytes.len().is_multiple_of(width) {
            return None;
        }
        let coded = planes::encode(bytes, width, &mut self.0);
        (coded.len() < bytes.len()).then_some(coded)
    }
}

// === impl Unpack ===

impl Unpack {
    /// Decodes a tensor of `length` bytes, which the caller has found to be within its limits, in elements of `width`
    /// bytes.
    ///
    /// # Errors
    /// `Malformed` for bytes that are no tensor of this length.
    pub fn decode(&mut self, coded: &[u8], width: usize, length: usize) -> Result<Vec<u8>, DeltaError> {
        if !(1..=WIDEST).contains(&width) || !length.is_multiple_of(width) {
            return Err(DeltaError::Malformed("its length is no whole number of elements"));
        }
        let planes = Planes::read(coded, (width, length / width), &mut self.0)?;
        let mut bytes = vec![0; length];
        planes.xor(0, &mut bytes);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_tensor_comes_back_whatever_it_is(values: Vec<f32>, zeros in 0_usize..400, width in 1_usize..9) {
            let mut bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            bytes.resize((bytes.len() + zeros).next_multiple_of(width), 0);
            if let Some(coded) = Pack::default().encode(&bytes, width) {
                prop_assert!(coded.len() < bytes.len());
                prop_assert_eq!(Unpack::default().decode(&coded, width, bytes.len()), Ok(bytes));
            }
        }

        #[test]
        fn bytes_that_are_no_tensor_are_refused(coded: Vec<u8>, width in 0_usize..10, length in 0_usize..4096) {
            if let Ok(bytes) = Unpack::default().decode(&coded, width, length) {
                prop_assert_eq!(bytes.len(), length);
            }
        }
    }

    #[test]
    fn activations_of_a_rectifier_take_fewer_bytes() {
        let rectified = |at: u32| ((at.wrapping_mul(2_654_435_761) >> 16) as f32 / 6000.0 - 6.0).clamp(0.0, 6.0);
        let bytes: Vec<u8> = (0..40_000).flat_map(|at| rectified(at).to_le_bytes()).collect();
        let coded = Pack::default().encode(&bytes, 4).unwrap();
        assert!(coded.len() < bytes.len() * 3 / 4, "{} of {}", coded.len(), bytes.len());
        assert_eq!(Pack::default().encode(&[1, 2, 3], 2), None);
    }
}
