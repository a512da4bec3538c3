//! A model as its lossless difference from another that the receiver has: encoded, checked, applied.
//!
//! ```text
//! base, target ─▶ pairs ─▶ parts ─▶ blocks ─▶ delta        which bytes of the target come from which of the base
//! base, delta ─▶ header, checksum ─▶ parts ─▶ blocks ─▶ target, whose digest is checked before anybody gets it
//!
//! delta  = header parts block*                                    header: see `header`; numbers: varints
//! parts  = count, length, packed length, that many bytes          packed by Zstandard unless both lengths are equal
//! part   = kind, length [, jump]                                  in the order of the target; jump: see `parts`
//! block  = method, length, packed length, that many bytes         the blocks of one kind of part after the other
//! ```
//!
//! A part is a copy of bytes of the base, bytes that the base lacks, or elements that differ from those of the base.
//! All parts of one kind are one stream of bytes, which is cut into blocks, so that small tensors share what blocks
//! cost. A block is coded as byte planes of its own bytes, of their XOR with the base, or of the steps from the base;
//! or, where little changed, as steps under an entropy coder that knows the exponents of the base (`coder`).
//!
//! Invariants: these are pure functions from bytes to bytes. The target is restored to the bit, whatever it is, or
//! there is an error. Every length is checked against the bytes that are there and against [`Limits`] before memory is
//! taken. Beside the two models an encoder takes at most 64 MiB, and whoever applies a delta far less. A delta is at
//! most a thousandth and 256 bytes larger than its target.
//!
//! Why steps, and not XOR alone? A step of training adds a small number to a weight. Subtracted, that number is there
//! again, in few bits; XOR hides it behind carries, and takes 2 to 5 % more. How many bits a step has depends on the
//! exponent of the weight, which the receiver knows: that takes another third off where most weights stay as they are.

pub mod error;
pub mod limits;

mod number;

pub mod header;

mod element;
mod parts;
mod runs;

mod pairs;

mod packer;

mod planes;

pub mod tensor;

mod coder;

mod block;

pub mod apply;
pub mod encode;

pub use apply::apply;
pub use encode::encode;
pub use error::DeltaError;
pub use header::{Facts, HEADER_BYTES, facts};
pub use limits::Limits;
pub use tensor::{Pack, Unpack};
