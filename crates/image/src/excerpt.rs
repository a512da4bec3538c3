//! What is to be decoded of a photo.

use headwater_types::{ByteCount, PixelBox, Scale};

/// The stored bytes of a photo, and which of its pixels are to be decoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Excerpt<'a> {
    /// The photo as it is stored.
    pub(crate) bytes: &'a [u8],
    /// The fraction of its size at which it is decoded.
    pub(crate) scale: Scale,
    /// The pixels that are wanted, in the photo at that scale.
    pub(crate) area: PixelBox,
    /// The most memory that the decoder may take.
    pub(crate) memory: ByteCount,
}
