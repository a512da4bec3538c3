//! A photo's header: what limits are checked against, and what the permit of its decoding is measured by.

use headwater_types::recipe::Orientation;
use headwater_types::{ByteCount, Format, ImageLimits, Size};

use crate::error::ImageError;
use crate::exif::UPRIGHT;
use crate::formats::{Detail, Stored, jpeg, sniff};
use crate::limits;
use crate::orient::turned_size;

/// A photo's header. Having one means that the photo is within its limits, not that it is sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The photo's format, by content.
    pub format: Format,
    /// Size of the decoded photo, after the turn by its orientation where the recipe asks for that.
    pub size: Size,
    /// Size of the photo as it is stored.
    pub stored: Size,
    /// The turn that will be made, as EXIF counts (1 to 8); 1 where the recipe asks for none.
    pub orientation: u8,
    /// Peak memory of decoding the photo, its encoded bytes and RGB pixels included: a permit is taken for as much.
    pub memory: ByteCount,
    pub(crate) detail: Detail,
}

// === impl Header ===

impl Header {
    /// Whether the photo can be decoded at a fraction of its size. Only JPEGs can be, and only where they are not
    /// turned: at a fraction the right and lower edges need not be whole pixels, and a turn would move them to another
    /// side.
    pub(crate) fn can_be_scaled(&self) -> bool {
        self.detail.jpeg().is_some() && self.orientation == UPRIGHT
    }
}

/// Reads a header and checks it against the limits: object size first, then sides, pixels, scans, memory. Goes over the
/// bytes of a JPEG once, and reads less of other formats.
///
/// # Errors
/// `UnsupportedFormat`, `UnsupportedFeature`, `Malformed` where the header cannot be read, `LimitExceeded`.
pub fn read_header(bytes: &[u8], orientation: Orientation, limits: &ImageLimits) -> Result<Header, ImageError> {
    limits::check_object(bytes.len(), limits)?;
    let format = sniff(bytes)?;
    let detail = Detail::read(format, bytes, limits)?;
    let Stored { size: stored, orientation: exif, memory: working } = detail.stored(bytes);
    let orientation = match orientation {
        Orientation::Stored => UPRIGHT,
        Orientation::Exif => exif,
    };
    let rgb = stored.pixels() * 3;
    let turned = if orientation == UPRIGHT { 0 } else { rgb };
    let least = bytes.len() as u64 + rgb + turned + working;
    limits::check_memory(ByteCount::new(least), limits)?;
    let (detail, memory) = with_own(detail, least, bytes.len() as u64, limits);
    Ok(Header { format, size: turned_size(stored, orientation), stored, orientation, memory, detail })
}

/// Adds the memory of our own JPEG decoder, or leaves the photo to libjpeg where that would be past the limit.
fn with_own(detail: Detail, least: u64, bytes: u64, limits: &ImageLimits) -> (Detail, ByteCount) {
    let Detail::Jpeg(frame) = detail else { return (detail, ByteCount::new(least)) };
    let memory = ByteCount::new(least + jpeg::own_memory(&frame, bytes));
    match memory <= limits.max_sample_memory {
        true => (detail, memory),
        false => (Detail::Jpeg(frame.left_to_libjpeg()), ByteCount::new(least)),
    }
}
