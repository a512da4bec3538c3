//! Blocks for who tests what lies behind their checksums.

use crate::block::{Block, BlockError, Packer, Unpacker, frame};
use crate::seal::block_key;

/// Which block it is.
const RUN: u32 = 1;
const NUMBER: u32 = 2;

/// A block with these columns, whatever they are, under a checksum that fits: block 2 of run 1.
pub fn frame_columns(rows: u16, columns: &[u8]) -> Vec<u8> {
    let packed = zstd::bulk::compress(columns, 1).unwrap_or_default();
    frame(rows, columns.len() as u32, &packed, block_key(RUN, NUMBER))
}

/// Reads block 2 of run 1, and writes its rows as a block again.
///
/// # Errors
/// Where the bytes are no such block.
pub fn reseal_block(value: &[u8]) -> Result<Vec<u8>, BlockError> {
    let mut block = Block::default();
    let mut unpacker = Unpacker::new().map_err(|_| BlockError::Packing)?;
    unpacker.open(value, RUN, NUMBER, &mut block)?;
    let mut again = Block::default();
    block.rows().for_each(|(_, row)| again.push(&row));
    let mut packer = Packer::new().map_err(|_| BlockError::Packing)?;
    packer.seal(&again, RUN, NUMBER).map_err(|_| BlockError::Packing)
}
