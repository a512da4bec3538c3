//! PNM (PBM, PGM, PPM, and grey PFM) to RGB8 as Pillow's `convert("RGB")` gives it.
//!
//! ```text
//! "P6" | space | width | space | height | space | white | one space | pixels     comments run from # to the line's end
//! ```
//!
//! | stored | becomes |
//! |---|---|
//! | bits (`P1`, `P4`) | white for 0, black for 1 |
//! | grey and colour whose white is 255 (`P2`, `P3`, `P5`, `P6`) | as it is |
//! | colour of another white, grey of a white below 255 | scaled to 0..=255, halves to the even level |
//! | grey of a white above 255 | scaled to 0..=65535 and clipped at 255, because Pillow reads it as `I` |
//! | grey floats (`Pf`) | clipped to 0..=255, what is behind the point cut off |
//!
//! No crate of the `image` project decodes these to Pillow's levels: theirs scales 16 bits down where Pillow clips.

mod header;
mod pixels;
mod tokens;

pub(super) use header::{Netpbm, begins};
pub(super) use pixels::decode;
