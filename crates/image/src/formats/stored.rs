//! What every format's header says.

use headwater_types::Size;

/// What every format's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Size of the photo as it is stored.
    pub(crate) size: Size,
    /// Which way is up, as EXIF counts, 1 to 8.
    pub(crate) orientation: u8,
    /// Bytes that decoding takes beside the encoded bytes and the RGB pixels.
    pub(crate) memory: u64,
}
