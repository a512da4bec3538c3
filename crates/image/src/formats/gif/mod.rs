//! GIF to RGB8 as Pillow's `convert("RGB")` gives it: the first frame alone, on a canvas that holds it.
//!
//! ```text
//! "GIF89a" | screen | palette | extensions | "," | place of the frame | palette | bits of a code | blocks of codes
//! ```
//!
//! Around the frame the canvas has the frame's transparent colour, or that of index 0. What is transparent keeps its
//! colour; the background colour that the file states is not used. Without a palette indices are grey levels.
//!
//! Only the codes are left to a crate (`weezl`, inside the `image` project's `gif` too): that one gives frames, and
//! what Pillow makes of canvas, palettes and broken files would have to be undone.

mod blocks;
mod pixels;
mod screen;

pub(super) use pixels::decode;
pub(super) use screen::{Screen, begins};
