//! A block as bytes.

use std::io;

use zstd::bulk::Compressor;

use super::layout::{HEADER, LEVEL, MAGIC};
use super::{Block, span};
use crate::{planes, seal};

/// Packs blocks, one after the other.
pub(crate) struct Packer {
    zstd: Compressor<'static>,
    columns: Vec<u8>,
}

// === impl Packer ===

impl Packer {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { zstd: Compressor::new(LEVEL)?, columns: Vec::new() })
    }

    /// The value of a block that has rows.
    pub(crate) fn seal(&mut self, block: &Block, run: u32, number: u32) -> io::Result<Vec<u8>> {
        self.columns.clear();
        write_columns(block, &mut self.columns);
        let packed = self.zstd.compress(&self.columns)?;
        Ok(frame(block.len() as u16, self.columns.len() as u32, &packed, seal::block_key(run, number)))
    }
}

/// A value of these parts.
pub(crate) fn frame(rows: u16, unpacked: u32, packed: &[u8], key: u64) -> Vec<u8> {
    let mut payload = Vec::with_capacity(HEADER + packed.len());
    payload.extend(rows.to_le_bytes());
    payload.extend(unpacked.to_le_bytes());
    payload.extend(packed);
    seal::seal(MAGIC, key, &payload)
}

pub(super) fn write_columns(block: &Block, out: &mut Vec<u8>) {
    write_keys(block, out);
    planes::write(&block.versions.iter().copied(), out);
    out.extend(&block.outcomes);
    out.extend((0..block.len()).filter_map(|at| Some(span(&block.label_ends, at)?.len() as u8)));
    planes::write(&block.labels.iter().map(|label| label.class.0.to_le_bytes()), out);
    planes::write(&block.labels.iter().map(|label| label.score.to_le_bytes()), out);
}

fn write_keys(block: &Block, out: &mut Vec<u8>) {
    let keys: Vec<&str> = (0..block.len()).filter_map(|at| block.key(at)).collect();
    let before = std::iter::once("").chain(keys.iter().copied());
    let shared: Vec<u16> = before.zip(&keys).map(|(before, key)| shared(before, key)).collect();
    let own = keys.iter().zip(&shared).map(|(key, shared)| key.len() as u16 - shared);
    planes::write(&shared.iter().map(|count| count.to_le_bytes()), out);
    planes::write(&own.map(u16::to_le_bytes), out);
    keys.iter().zip(&shared).for_each(|(key, shared)| out.extend(&key.as_bytes()[usize::from(*shared)..]));
}

fn shared(before: &str, key: &str) -> u16 {
    before.bytes().zip(key.bytes()).take_while(|(one, other)| one == other).count() as u16
}
