//! A photo's orientation, from EXIF and XMP together, as Pillow's `ImageOps.exif_transpose` finds it.
//!
//! EXIF decides where it has an entry for it, even a nonsensical one. XMP decides where EXIF has no entry. A photo
//! whose EXIF is broken counts as upright.

use crate::exif::{self, Stated, UPRIGHT};
use crate::xmp;

/// The orientation, 1 to 8, of a photo with this EXIF block and this XMP packet.
pub(crate) fn orientation(exif: Option<&[u8]>, xmp: Option<&[u8]>) -> u8 {
    match exif.map_or(Stated::Missing, exif::orientation) {
        Stated::Turn(turn) => turn,
        Stated::Broken => UPRIGHT,
        Stated::Missing => xmp.and_then(xmp::orientation).filter(|turn| (1..=8).contains(turn)).unwrap_or(UPRIGHT),
    }
}
