//! BMP and DIB to RGB8 as Pillow's `convert("RGB")` gives them.
//!
//! ```text
//! "BM" | size u32 | 0 u32 | offset of the pixels u32 | header: its length u32 | ... | palette | rows, from the bottom
//! ```
//!
//! A DIB begins with the header. The rows are padded to 4 bytes; where the height is negative they come from the top.
//!
//! | stored | becomes |
//! |---|---|
//! | palette, 1, 4 and 8 bits, also run-length coded | its colours; pixels that the runs leave out have index 0 |
//! | 16 bits | 5 bits a colour, or 5, 6 and 5, scaled to 0..=255 and rounded down |
//! | 24 and 32 bits, with masks of whole bytes | as they are; the fourth byte, alpha or not, is dropped |
//!
//! The crates of the `image` project pad a photo that is cut short, and take kinds that Pillow refuses, so that a
//! broken photo would be decoded here and not in training.

mod header;
mod pixels;
mod runs;

pub(super) use header::{Bitmap, begins};
pub(super) use pixels::decode;
