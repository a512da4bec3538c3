//! The colours of indexed pixels. An index that the file gives no colour is black, as to Pillow.

use crate::rgb::Rgb8;

/// A colour for each index.
pub(super) struct Palette(Box<[[u8; 3]; 256]>);

// === impl Palette ===

impl Palette {
    /// The palette of these colours; those beyond 256 are left out.
    pub(super) fn new(colors: impl Iterator<Item = [u8; 3]>) -> Self {
        let mut table = Box::new([[0; 3]; 256]);
        for (entry, color) in table.iter_mut().zip(colors) {
            *entry = color;
        }
        Self(table)
    }

    /// Grey levels that are their own indices.
    pub(super) fn grey() -> Self {
        Self::new((0..=255).map(|level| [level; 3]))
    }

    /// The colour of an index.
    pub(super) fn color(&self, index: u8) -> [u8; 3] {
        self.0[usize::from(index)]
    }

    /// Gives each pixel of a row its colour. `index` says which, by the pixel's place in the row.
    pub(super) fn paint(&self, row: &mut [u8], index: impl Fn(usize) -> u8) {
        for (x, pixel) in row.as_chunks_mut::<{ Rgb8::CHANNELS }>().0.iter_mut().enumerate() {
            *pixel = self.color(index(x));
        }
    }
}

/// The sample at `x` of a row in which each has `bits` bits, 1, 2, 4 or 8, the first in a byte's high bits.
pub(super) fn packed(row: &[u8], bits: usize, x: usize) -> u8 {
    let per_byte = 8 / bits;
    let shift = 8 - bits * (x % per_byte + 1);
    row[x / per_byte] >> shift & (0xff_u8 >> (8 - bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_packed_from_the_high_bits_down() {
        let row = [0b1010_0001, 0b1100_0000];
        assert_eq!([0, 2, 7, 8, 9].map(|x| packed(&row, 1, x)), [1, 1, 1, 1, 1]);
        assert_eq!([0, 1, 3, 4].map(|x| packed(&row, 2, x)), [2, 2, 1, 3]);
        assert_eq!([0, 1, 2].map(|x| packed(&row, 4, x)), [10, 1, 12]);
        assert_eq!(packed(&row, 8, 1), 192);
        assert_eq!(Palette::new([[1, 2, 3]].into_iter()).color(7), [0; 3]);
    }
}
