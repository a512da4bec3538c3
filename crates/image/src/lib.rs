//! From stored bytes to the finished tensor: sniff, limits, decode, crop, resize, flip, to-tensor, normalise.
//!
//! Invariants: limits are checked against the header before a pixel is decoded; a photo gives the same bits on every
//! machine, whatever was decoded before it, and wherever its recipe is cut ([`advance`] is what server and client share);
//! and no content makes it panic.
//!
//! The pixels are Pillow's: libjpeg-turbo with its accurate transform and fancy upsampling, `convert("RGB")`, and the
//! antialiased `resize`, bilinear or bicubic, to the last bit. Never: colour management, gamma, or compositing of alpha. Only where a
//! recipe says `decode = "fast"` are large crops of JPEGs decoded at a fraction of their size, which is not Pillow's.
//!
//! No more of a JPEG is decoded than its crop reads; entropy decoding is most of what is left, and reads all above it too, so
//! that a broken photo fails at every cut or at none. An indexed photo has nothing above or beside the crop to read.
//!
//! JPEGs are decoded by our own decoder, to libjpeg-turbo's bits, and by libjpeg-turbo where they are not its kind; PNG and
//! WebP come from the `png` and `image-webp` crates directly and not through `image`, whose conversions differ from
//! Pillow's (16-bit grey, palettes) and cost a copy.

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
pub use unindexable::Unindexable;
