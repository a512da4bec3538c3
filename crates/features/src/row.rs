//! The row of a sample on its way: the elements of a network's tensors at a cut, coded without loss.

use headwater_delta::{Pack, Unpack};
use headwater_types::{FailureKind, SampleFailure};

/// Bytes of an element.
const WIDTH: usize = size_of::<f32>();

/// A row as planes of bytes, each packed; `None` where that does not make it shorter.
pub fn encode_row(row: &[f32]) -> Option<Vec<u8>> {
    let bytes: Vec<u8> = row.iter().flat_map(|value| value.to_le_bytes()).collect();
    Pack::default().encode(&bytes, WIDTH)
}

/// The row of so many elements that was coded.
///
/// # Errors
/// `Malformed` for bytes that are no such row.
pub fn decode_row(coded: &[u8], elements: usize) -> Result<Vec<f32>, SampleFailure> {
    let bytes = Unpack::default().decode(coded, WIDTH, WIDTH * elements);
    let bytes = bytes.map_err(|error| SampleFailure::new(FailureKind::Malformed, error.to_string()))?;
    Ok(bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back_to_the_bit_or_is_a_failure() {
        let row: Vec<f32> = (0..4000).map(|at| if at % 3 == 0 { 0.0 } else { (at as f32).sin() }).collect();
        let coded = encode_row(&row).unwrap();
        assert!(coded.len() < 4 * row.len());
        assert_eq!(decode_row(&coded, row.len()).unwrap(), row);
        for (bytes, elements) in [(&coded[..coded.len() - 1], row.len()), (&coded, row.len() + 1), (&[], 3)] {
            assert_eq!(decode_row(bytes, elements).unwrap_err().kind, FailureKind::Malformed);
        }
        assert_eq!(encode_row(&[]), None);
    }
}
