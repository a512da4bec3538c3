//! A row of samples, to be made into pixels.

/// Samples behind those that are asked for which [`pixels`](super::pixels) may read, and drop.
pub(crate) const MORE_SAMPLES: usize = 64;

/// The samples of a row of pixels.
pub(crate) enum Samples<'a> {
    Grey(&'a [u8]),
    Rgb([&'a [u8]; 3]),
    /// As many of each.
    YCbCr {
        y: &'a [u8],
        chroma: [&'a [u8]; 2],
    },
    /// Chroma interpolated between half as many samples. The first of them is the neighbour on the left.
    Halved {
        y: &'a [u8],
        chroma: [&'a [u8]; 2],
    },
    /// And between rows: the nearer one, which weighs three times as much, and the other one.
    Quartered {
        y: &'a [u8],
        chroma: [[&'a [u8]; 2]; 2],
    },
}
