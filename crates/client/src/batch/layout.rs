//! What a row of a batch holds.

use headwater_types::Size;

/// What each row of a batch holds, native endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowLayout {
    /// The finished tensor: f32 `[3, height, width]`.
    Tensor(Size),
    /// The pixels from which the tensor is made, as of the cut `flipped`: u8 `[height, width, 3]`.
    Pixels(Size),
    /// Features: f32 `[d]`.
    Vector(u32),
}

// === impl RowLayout ===

impl RowLayout {
    /// Bytes of a row.
    pub fn bytes(self) -> usize {
        let elements = |size: Size| 3 * usize::try_from(size.pixels()).unwrap_or(usize::MAX / 12);
        match self {
            Self::Tensor(size) => 4 * elements(size),
            Self::Pixels(size) => elements(size),
            Self::Vector(len) => 4 * len as usize,
        }
    }
}
