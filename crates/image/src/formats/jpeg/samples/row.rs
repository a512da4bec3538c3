//! A row of samples, to be made into pixels.

/// Samples behind those that are asked for which [`pixels`](super::pixels) may read, and drop.
pub(crate) const MORE_SAMPLES: usize = 64;

/// The samples of a row of pixels.
pub(crate) enum Samples<'a> {
    Grey(&'a [u8]),
    Rgb([&'a [u8]; 3]),
    /// As many samples of chroma as of luma.
    YCbCr {
        y: &'a [u8],
        chroma: [&'a [u8]; 2],
    },
    /// Half as many samples of chroma as of luma across, to be interpolated. The first one is the neighbour on the
    /// left.
    Halved {
        y: &'a [u8],
        chroma: [&'a [u8]; 2],
    },
    /// Half as many samples of chroma across and down, to be interpolated both ways: each plane's nearer row, which
    /// weighs three times as much, and its farther row.
    Quartered {
        y: &'a [u8],
        chroma: [[&'a [u8]; 2]; 2],
    },
}
