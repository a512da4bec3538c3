//! From stored bytes to the finished tensor: sniff, limits, decode, crop, resize, flip, to-tensor, normalise.
//!
//! Invariants: limits are checked against the header before a pixel is decoded; a photo gives the same bits on every
//! machine, whatever was decoded before it, and wherever its recipe is cut ([`advance`] is what server and client
//! share); and no content makes it panic.
//!
//! The pixels are Pillow's: libjpeg-turbo with its accurate transform and fancy upsampling, `convert("RGB")`, and the
//! antialiased `resize`, bilinear or bicubic, to the last bit. Never: colour management, gamma, or compositing of
//! alpha. Only where a recipe says `decode = "fast"` are large crops of JPEGs decoded at a fraction of their size,
//! which Pillow does not.
//!
//! Of a JPEG only the pixels are made that its crop reads. Its entropy-coded data are read from the start down to the
//! crop's last row, which is most of the work, so that a broken photo fails at every cut or at none. Of an indexed
//! photo only the crop's own data are read.
//!
//! Our own decoder decodes JPEGs to libjpeg-turbo's bits, and leaves rare kinds to libjpeg-turbo. The `png` and
//! `image-webp` crates decode PNG and WebP; the `image` crate would convert some pixels otherwise than Pillow (16-bit
//! grey, palettes), and copy them once more. BMP, GIF, PNM and TIFF are read here as Pillow reads them.

mod error;
mod limits;

mod exif;
mod xmp;

mod upright;

mod level;
mod rgb;
mod room;
#[cfg(target_arch = "x86_64")]
mod vectors;

mod excerpt;

mod formats;

mod header;

mod orient;

mod floats;
mod taps;

mod kernel;

mod resample;
mod tensor;

mod target;

mod scratch;

mod decode;
mod view;

mod unindexable;

mod indexed;
mod payload;

pub mod lossless;
mod parts;

mod piece;

mod advance;

mod cores;
mod cpu_time;

pub mod turns;

mod pool;

pub use advance::{advance, finish_into};
pub use cores::cores;
pub use cpu_time::CpuMeter;
pub use decode::{decode, read_coefficients};
pub use error::ImageError;
pub use formats::sniff;
pub use header::{Header, read_header};
pub use indexed::{IndexedHead, IndexedJpeg, JpegCrop};
pub use level::Level;
pub use parts::Parts;
pub use payload::{Payload, Scaled, Tensor};
pub use pool::{CpuPool, PoolError, Timed};
pub use rgb::Rgb8;
pub use scratch::Scratch;
pub use turns::{Flow, Turn, Turns};
pub use unindexable::Unindexable;
