//! Rows of one run that lie together: what the index's file has as one value.
//!
//! ```text
//!  0       4           12     14         18
//! ┌───────┬───────────┬──────┬──────────┬────────────────────┐
//! │ magic │ checksum  │ rows │ unpacked │ columns, packed    │
//! │ "LBL1"│ u64       │ u16  │ u32      │ Zstandard, 1 frame │
//! └───────┴───────────┴──────┴──────────┴────────────────────┘
//!
//! columns, of n rows with m labels in all:
//! ┌──────────────┬─────────────┬──────┬──────────┬──────────┬────────┬─────────┬─────────┐
//! │ bytes shared │ bytes of    │ keys │ versions │ outcomes │ labels │ classes │ scores  │
//! │ u16 x n      │ their own   │      │ 16 x n   │ u8 x n   │ u8 x n │ u32 x m │ f32 x m │
//! │              │ u16 x n     │      │          │          │        │         │         │
//! └──────────────┴─────────────┴──────┴──────────┴──────────┴────────┴─────────┴─────────┘
//!
//! unpacked  bytes of the columns
//! shared    how many bytes a key begins with that the key before it begins with
//! keys      what each key has beside those, one behind the other
//! outcomes  0: labels; else why there are none
//! numbers   little endian, as planes of bytes: the lowest byte of each, then the next
//! ```
//!
//! The checksum is seeded with run and number of the block. Bytes are believed only behind it, and checked against
//! every limit even so: they may have been written by another version of this program.

mod error;
mod layout;
mod read;
mod write;

use headwater_types::caps::LABEL_BLOCK_ROWS;

use crate::outcome_code;
use crate::row::{Outcome, Row, Scored};

pub use error::BlockError;
pub(crate) use read::{Unpacker, rows_of};
pub(crate) use write::{Packer, frame};

/// Up to 256 rows, as columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Block {
    keys: String,
    key_ends: Vec<u32>,
    versions: Vec<[u8; 16]>,
    /// See [`outcome_code`].
    outcomes: Vec<u8>,
    labels: Vec<Scored>,
    label_ends: Vec<u32>,
}

// === impl Block ===

impl Block {
    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.key_ends.len()
    }

    /// Whether no further row fits.
    pub(crate) fn is_full(&self) -> bool {
        self.len() >= LABEL_BLOCK_ROWS
    }

    /// Forgets all rows.
    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        self.key_ends.clear();
        self.versions.clear();
        self.outcomes.clear();
        self.labels.clear();
        self.label_ends.clear();
    }

    /// Appends a row that was checked, where there is room.
    pub(crate) fn push(&mut self, row: &Row<'_>) {
        let (code, labels) = match row.outcome {
            Outcome::Labels(labels) => (outcome_code::LABELLED, labels),
            Outcome::Failed(kind) => (outcome_code::of_failure(kind), &[][..]),
        };
        self.keys.push_str(row.key);
        self.key_ends.push(self.keys.len() as u32);
        self.versions.push(row.version);
        self.outcomes.push(code);
        self.labels.extend_from_slice(labels);
        self.label_ends.push(self.labels.len() as u32);
    }

    /// The row of this number.
    pub(crate) fn row(&self, at: u8) -> Option<Row<'_>> {
        let at = usize::from(at);
        let outcome = match outcome_code::failure(*self.outcomes.get(at)?) {
            Some(kind) => Outcome::Failed(kind),
            None => Outcome::Labels(self.labels.get(span(&self.label_ends, at)?)?),
        };
        Some(Row { key: self.key(at)?, version: *self.versions.get(at)?, outcome })
    }

    /// Every row with its number.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (u8, Row<'_>)> {
        (0..=u8::MAX).map_while(|at| Some((at, self.row(at)?)))
    }

    fn key(&self, at: usize) -> Option<&str> {
        self.keys.get(span(&self.key_ends, at)?)
    }
}

/// Where the part of this number lies, given where each part ends.
fn span(ends: &[u32], at: usize) -> Option<std::ops::Range<usize>> {
    let start = at.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied())?;
    Some(start as usize..*ends.get(at)? as usize)
}

#[cfg(test)]
mod tests;
