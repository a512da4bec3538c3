//! What is known of a photo before its pixels: the basis of every limit, and of the permit that its decoding takes.

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
    /// Format, by content.
    pub format: Format,
    /// Size of the decoded photo: after the turn by its EXIF orientation, where the recipe asks for it.
    pub size: Size,
    /// Size as stored.
    pub stored: Size,
    /// The turn that will be made, as EXIF counts (1 to 8); 1 where the recipe asks for none.
    pub orientation: u8,
    /// Peak memory of decoding it, its encoded bytes and RGB pixels included: what a permit is taken for.
    pub memory: ByteCount,
    pub(crate) detail: Detail,
}

// === impl Header ===

impl Header {
    /// Whether the photo can be decoded at a fraction of its size: only JPEGs can be; and those that are turned are not,
    /// because their edges need not be whole pixels then, and would be turned to the other side.
    pub(crate) fn can_be_scaled(&self) -> bool {
        self.detail.jpeg().is_some() && self.orientation == UPRIGHT
    }
}

/// Reads a header and holds it against the limits: object size first, then sides, pixels, scans, memory. One pass over
/// the bytes of a JPEG, less for the others; allocates nothing.
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

/// Has our own decoder take part where there is memory for it.
fn with_own(detail: Detail, least: u64, bytes: u64, limits: &ImageLimits) -> (Detail, ByteCount) {
    let Detail::Jpeg(frame) = detail else { return (detail, ByteCount::new(least)) };
    let memory = ByteCount::new(least + jpeg::own_memory(&frame, bytes));
    match memory <= limits.max_sample_memory {
        true => (detail, memory),
        false => (Detail::Jpeg(frame.left_to_libjpeg()), ByteCount::new(least)),
    }
}
