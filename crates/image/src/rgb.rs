//! Pixels: RGB, 8 bits, rows from the top, no padding.

use headwater_types::Size;

/// Bytes of a pixel: red, green and blue.
pub(crate) const CHANNELS: usize = 3;

/// An RGB picture, u8 `[height, width, 3]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Rgb8 {
    size: Size,
    pixels: Vec<u8>,
}

// === impl Rgb8 ===

impl Rgb8 {
    /// Bytes of one pixel.
    pub const CHANNELS: usize = CHANNELS;

    /// A picture from its bytes; `None` unless there are width x height x 3 of them and neither side is 0.
    pub fn new(size: Size, pixels: Vec<u8>) -> Option<Self> {
        let expected = size.pixels().checked_mul(Self::CHANNELS as u64)?;
        (expected > 0 && pixels.len() as u64 == expected).then_some(Self { size, pixels })
    }

    /// The picture's width and height.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The picture's bytes, in rows from the top.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The picture's bytes, given away without a copy.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// Mirrors the picture left to right, in place.
    pub(crate) fn mirror(&mut self) {
        let width = self.size.width as usize;
        for row in self.pixels.chunks_exact_mut(width * Self::CHANNELS) {
            let (row, _) = row.as_chunks_mut::<{ Self::CHANNELS }>();
            row.reverse();
        }
    }
}

impl std::fmt::Debug for Rgb8 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rgb8({}x{})", self.size.width, self.size.height)
    }
}

/// The number of bytes of an RGB picture of this size. A size that has passed the limits cannot overflow.
pub(crate) fn rgb_len(size: Size) -> usize {
    size.width as usize * size.height as usize * Rgb8::CHANNELS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_must_fit_the_size() {
        let size = |width, height| Size { width, height };
        assert!(Rgb8::new(size(2, 1), vec![0; 6]).is_some());
        assert!(Rgb8::new(size(2, 1), vec![0; 5]).is_none());
        assert!(Rgb8::new(size(0, 1), Vec::new()).is_none());
        assert!(Rgb8::new(size(u32::MAX, u32::MAX), Vec::new()).is_none());
    }

    #[test]
    fn a_mirror_swaps_pixels_not_channels() {
        let mut picture = Rgb8::new(Size { width: 2, height: 2 }, (0..12).collect()).unwrap();
        picture.mirror();
        assert_eq!(picture.pixels(), [3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8]);
    }
}
