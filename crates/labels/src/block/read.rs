//! A block out of bytes, or why they are none.

use std::io;

use headwater_types::ClassId;
use headwater_types::caps::{LABEL_BLOCK_ROWS, MAX_KEY_BYTES, MAX_LABEL_CLASSES, MAX_TOP_K};
use zstd::bulk::Decompressor;

use super::layout::{HEADER, MAGIC, most};
use super::{Block, BlockError};
use crate::row::Scored;
use crate::{outcome_code, planes, seal};

/// Unpacks blocks, one after the other.
pub(crate) struct Unpacker {
    zstd: Decompressor<'static>,
    columns: Vec<u8>,
}

/// How many rows a whole value of a block has.
pub(crate) fn rows_of(value: &[u8], run: u32, number: u32) -> Result<usize, BlockError> {
    head(value, seal::block_key(run, number)).map(|head| head.rows)
}

struct Head<'a> {
    rows: usize,
    unpacked: usize,
    packed: &'a [u8],
}

// === impl Unpacker ===

impl Unpacker {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { zstd: Decompressor::new()?, columns: Vec::new() })
    }

    /// Reads the block of this number into `block`, whose rows are forgotten, also where there is an error.
    pub(crate) fn open(&mut self, value: &[u8], run: u32, number: u32, block: &mut Block) -> Result<(), BlockError> {
        block.clear();
        let head = head(value, seal::block_key(run, number))?;
        self.unpack(&head)?;
        let read = read_columns(&self.columns, head.rows, block);
        if read.is_err() {
            block.clear();
        }
        read
    }

    fn unpack(&mut self, head: &Head<'_>) -> Result<(), BlockError> {
        self.columns.clear();
        self.columns.reserve_exact(head.unpacked);
        self.zstd.decompress_to_buffer(head.packed, &mut self.columns).map_err(|_| BlockError::Packing)?;
        (self.columns.len() == head.unpacked).then_some(()).ok_or(BlockError::Length)
    }
}

fn head(value: &[u8], key: u64) -> Result<Head<'_>, BlockError> {
    let payload = seal::open(MAGIC, key, value).ok_or(BlockError::Checksum)?;
    let (head, packed) = payload.split_first_chunk::<HEADER>().ok_or(BlockError::Length)?;
    let [r0, r1, unpacked @ ..] = *head;
    let rows = usize::from(u16::from_le_bytes([r0, r1]));
    if rows == 0 || rows > LABEL_BLOCK_ROWS {
        return Err(BlockError::Rows(rows as u32));
    }
    let unpacked = u32::from_le_bytes(unpacked) as usize;
    (unpacked <= most(rows)).then_some(Head { rows, unpacked, packed }).ok_or(BlockError::Length)
}

/// Reads columns that end where the bytes do.
pub(super) fn read_columns(columns: &[u8], rows: usize, block: &mut Block) -> Result<(), BlockError> {
    let behind = read_keys(columns, rows, block)?;
    let (versions, behind) = planes::read::<16>(behind, rows).ok_or(BlockError::Length)?;
    block.versions.extend(versions);
    let (outcomes, behind) = behind.split_at_checked(rows).ok_or(BlockError::Length)?;
    let (counts, behind) = behind.split_at_checked(rows).ok_or(BlockError::Length)?;
    read_outcomes(outcomes, counts, block)?;
    read_labels(behind, block)
}

fn read_keys<'a>(columns: &'a [u8], rows: usize, block: &mut Block) -> Result<&'a [u8], BlockError> {
    let (shared, behind) = planes::read::<2>(columns, rows).ok_or(BlockError::Length)?;
    let (own, mut behind) = planes::read::<2>(behind, rows).ok_or(BlockError::Length)?;
    let mut keys = std::mem::take(&mut block.keys).into_bytes();
    let mut before = 0;
    for (shared, own) in shared.zip(own) {
        let [shared, own] = [shared, own].map(|count| usize::from(u16::from_le_bytes(count)));
        let end = keys.len();
        if shared + own == 0 || shared + own > MAX_KEY_BYTES || shared > end - before {
            return Err(BlockError::Key);
        }
        let (key, rest) = behind.split_at_checked(own).ok_or(BlockError::Length)?;
        keys.extend_from_within(before..before + shared);
        keys.extend_from_slice(key);
        block.key_ends.push(keys.len() as u32);
        (before, behind) = (end, rest);
    }
    let keys = String::from_utf8(keys).map_err(|_| BlockError::Key)?;
    let is_text = block.key_ends.iter().all(|end| keys.is_char_boundary(*end as usize));
    block.keys = keys;
    is_text.then_some(behind).ok_or(BlockError::Key)
}

fn read_outcomes(outcomes: &[u8], counts: &[u8], block: &mut Block) -> Result<(), BlockError> {
    let mut end = 0;
    for (outcome, count) in outcomes.iter().zip(counts) {
        let is_labelled = *outcome == outcome_code::LABELLED && (1..=MAX_TOP_K).contains(&usize::from(*count));
        let has_failed = *count == 0 && outcome_code::failure(*outcome).is_some();
        if !is_labelled && !has_failed {
            return Err(BlockError::Outcome);
        }
        end += u32::from(*count);
        block.label_ends.push(end);
    }
    block.outcomes.extend_from_slice(outcomes);
    Ok(())
}

fn read_labels(columns: &[u8], block: &mut Block) -> Result<(), BlockError> {
    let count = block.label_ends.last().map_or(0, |end| *end as usize);
    let (classes, behind) = planes::read::<4>(columns, count).ok_or(BlockError::Length)?;
    let (scores, behind) = planes::read::<4>(behind, count).ok_or(BlockError::Length)?;
    let label = |(class, score)| Scored { class: ClassId(u32::from_le_bytes(class)), score: f32::from_le_bytes(score) };
    block.labels.extend(classes.zip(scores).map(label));
    let is_label = |label: &Scored| (label.class.0 as usize) < MAX_LABEL_CLASSES && label.score.is_finite();
    match behind.is_empty() {
        false => Err(BlockError::Length),
        true => block.labels.iter().all(is_label).then_some(()).ok_or(BlockError::Label),
    }
}
