//! The numbers of a block's layout, as the parent draws it.

use headwater_types::caps::{MAX_KEY_BYTES, MAX_TOP_K};

use crate::seal;

pub(super) const MAGIC: seal::Magic = *b"LBL\x01";
/// Bytes of the payload before the packed columns.
pub(super) const HEADER: usize = 6;
/// How hard the columns are packed. Nine times as slow (level 9) takes 2 % off.
pub(super) const LEVEL: i32 = 3;
/// Bytes of one label in the columns.
pub(super) const LABEL: usize = 8;
/// Bytes of one row in the columns, its key and its labels aside.
pub(super) const ROW: usize = 4 + 16 + 2;

/// The most bytes that the columns of so many rows have.
pub(super) const fn most(rows: usize) -> usize {
    rows * (ROW + MAX_KEY_BYTES + MAX_TOP_K * LABEL)
}
