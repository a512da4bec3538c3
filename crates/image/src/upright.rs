//! Which way is up, by all that a photo says of it: Pillow's `ImageOps.exif_transpose`, so that a recipe turns what it turned there.
//!
//! EXIF first; XMP where EXIF has no entry for it, even if that one says nonsense; and where EXIF is broken, as stored.

use crate::exif::{self, Said, UPRIGHT};
use crate::xmp;

/// 1 to 8, by EXIF and XMP where there is such.
pub(crate) fn orientation(exif: Option<&[u8]>, xmp: Option<&[u8]>) -> u8 {
    match exif.map_or(Said::Nothing, exif::orientation) {
        Said::Turn(turn) => turn,
        Said::Broken => UPRIGHT,
        Said::Nothing => xmp.and_then(xmp::orientation).filter(|turn| (1..=8).contains(turn)).unwrap_or(UPRIGHT),
    }
}
