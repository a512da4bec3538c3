//! TIFF to RGB8 as Pillow, with libtiff in it, gives it at `convert("RGB")`: the first page, turned upright.
//!
//! ```text
//! "II*\0" or "MM\0*" | offset | ... | directory: tag, type, count, value or its offset; ... | ... | strips
//! ```
//!
//! | stored | becomes |
//! |---|---|
//! | grey, 1, 2, 4, 8 bits, white as 0 or not | scaled to 0..=255 |
//! | grey, 12, 16, 32 bits, signed or not, and floats | clipped to 0..=255, as Pillow clips `I` and `F` |
//! | palette | the high bytes of its colours; black where an index has none |
//! | RGB, 16 bits | the high byte |
//! | alpha | dropped, not composited; colours that were multiplied by it are divided by it |
//! | CMYK | ink subtracted from paper |
//! | JPEG inside | as a JPEG of its own |
//!
//! Pillow turns a TIFF upright whenever it reads one, so that is done here whatever a recipe says of orientation.
//!
//! Why not the `image` project's `tiff`: what it gives is inverted, widened and checked in other places than by Pillow,
//! its JPEG has other bits than libjpeg-turbo's, and memory is told only chunk by chunk. Codes are left to crates all
//! the same: LZW to `weezl`, deflate to `fdeflate`, fax to `fax`, and JPEG to our own.

mod directory;

mod kind;

mod geometry;
mod samples;

mod layout;

mod fax;
mod jpeg;
mod packbits;

mod expand;
mod predictor;

mod pixels;
mod row;

pub(super) use directory::begins;
pub(super) use layout::Layout;
pub(super) use pixels::decode;
