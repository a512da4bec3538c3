//! Zstandard, whose memory is taken once for all the planes of a delta.

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{CParameter, compress_bound};

/// Text and graphs, of which there is little, may take their time.
const LEVEL_OF_TEXT: i32 = 9;
const LEVEL: i32 = 1;
/// Shortest repetition that is looked for among numbers: among bytes that only come often, shorter ones are chance, and
/// take more time than they save.
const SHORTEST: u32 = 7;

/// Packs planes, one after the other.
#[derive(Default)]
pub(crate) struct Packer {
    text: Option<Compressor<'static>>,
    numbers: Option<Compressor<'static>>,
    packed: Vec<u8>,
}

/// Unpacks planes, one after the other.
#[derive(Default)]
pub(crate) struct Unpacker(Option<Decompressor<'static>>);

// === impl Packer ===

impl Packer {
    /// Text packed, until the next is; `None` where Zstandard has no memory.
    pub(crate) fn text(&mut self, bytes: &[u8]) -> Option<&[u8]> {
        let packer = made(&mut self.text, || Compressor::new(LEVEL_OF_TEXT).ok())?;
        pack(packer, bytes, &mut self.packed)
    }

    /// A plane of numbers packed, until the next is; `None` where Zstandard has no memory.
    pub(crate) fn numbers(&mut self, bytes: &[u8]) -> Option<&[u8]> {
        let make = || {
            let mut packer = Compressor::new(LEVEL).ok()?;
            packer.set_parameter(CParameter::MinMatch(SHORTEST)).ok()?;
            Some(packer)
        };
        pack(made(&mut self.numbers, make)?, bytes, &mut self.packed)
    }
}

// === impl Unpacker ===

impl Unpacker {
    /// Unpacks bytes that fill the plane; `false` for others, and where Zstandard has no memory.
    pub(crate) fn unpack(&mut self, packed: &[u8], plane: &mut [u8]) -> bool {
        let unpacked = made(&mut self.0, || Decompressor::new().ok())
            .and_then(|unpacker| unpacker.decompress_to_buffer(packed, &mut *plane).ok());
        unpacked == Some(plane.len())
    }
}

fn made<T>(place: &mut Option<T>, make: impl FnOnce() -> Option<T>) -> Option<&mut T> {
    if place.is_none() {
        *place = make();
    }
    place.as_mut()
}

fn pack<'p>(packer: &mut Compressor<'_>, bytes: &[u8], packed: &'p mut Vec<u8>) -> Option<&'p [u8]> {
    packed.clear();
    packed.reserve(compress_bound(bytes.len()));
    packer.compress_to_buffer(bytes, packed).ok()?;
    Some(packed)
}
