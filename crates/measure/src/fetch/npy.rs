//! NumPy's `.npy` files, format version 1.0 (numpy.lib.format), of f32 in C order:
//!
//! ```text
//! +-----------+-------+----------------+-------------------------------------------------------------------+------+
//! | \x93NUMPY | 01 00 | length: u16 LE | {'descr': '<f4', 'fortran_order': False, 'shape': (3, 7, 9), }  \n | data |
//! +-----------+-------+----------------+-------------------------------------------------------------------+------+
//! ```
//!
//! The header is padded with spaces, so that the data begin at a multiple of 64 bytes.

/// Bytes before the header's text.
const PREFIX: usize = 10;
/// Data begin at a multiple of this.
const ALIGNMENT: usize = 64;

/// The file of an array: its axes, outermost first, and its elements as little-endian bytes.
pub(super) fn file(axes: &[u32], data: impl IntoIterator<Item = [u8; 4]>) -> Vec<u8> {
    // A tuple of one has a comma of its own.
    let shape: String = axes.iter().map(|axis| format!("{axis}, ")).collect();
    let shape = if axes.len() == 1 { shape.trim_end() } else { shape.trim_end_matches(", ") };
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}");
    let length = (PREFIX + header.len() + 1).next_multiple_of(ALIGNMENT) - PREFIX;
    header.extend(std::iter::repeat_n(' ', length - header.len() - 1));
    header.push('\n');
    let mut file = Vec::with_capacity(PREFIX + length + axes.iter().product::<u32>() as usize * 4);
    file.extend_from_slice(b"\x93NUMPY\x01\x00");
    // At most 3 axes of 10 digits: far below what 16 bits hold.
    file.extend_from_slice(&(length as u16).to_le_bytes());
    file.extend_from_slice(header.as_bytes());
    data.into_iter().for_each(|element| file.extend_from_slice(&element));
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_numpy_writes() {
        // numpy.save of numpy.arange(6, dtype='<f4').reshape(1, 2, 3), NumPy 2.
        let mut expected =
            b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }".to_vec();
        expected.resize(127, b' ');
        expected.push(b'\n');
        (0..6).for_each(|i| expected.extend_from_slice(&(i as f32).to_le_bytes()));
        assert_eq!(file(&[1, 2, 3], (0..6).map(|i| (i as f32).to_le_bytes())), expected);
    }

    #[test]
    fn data_are_aligned_and_a_vector_has_the_shape_of_a_tuple() {
        for axes in [&[1][..], &[1_280], &[3, 224, 224], &[3, 4_096, 1]] {
            let elements = axes.iter().product::<u32>() as usize;
            let file = file(axes, std::iter::repeat_n([0; 4], elements));
            assert_eq!((file.len() - elements * 4) % ALIGNMENT, 0);
        }
        let vector = file(&[5], [[0; 4]; 5]);
        assert!(String::from_utf8_lossy(&vector).contains("'shape': (5,), "));
    }
}
