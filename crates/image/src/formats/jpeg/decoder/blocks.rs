//! Where decoded coefficients go.

use std::ptr::NonNull;

use super::source::COEFFICIENTS;

/// Coefficients, block after block, each in rows from the top; and the last place, in the order in which they are
/// coded, at which a block may have one that is not 0.
pub(super) struct Blocks<'a> {
    /// The first of `last.len()` blocks, of which there is one at least: a pointer, because two runs write to them in
    /// turn.
    pub(super) first: NonNull<[i16; COEFFICIENTS]>,
    pub(super) last: &'a mut [u8],
}

// === impl Blocks ===

impl<'a> Blocks<'a> {
    /// As many of each; `None` for none.
    pub(super) fn new(values: &'a mut [[i16; COEFFICIENTS]], last: &'a mut [u8]) -> Option<Self> {
        if values.is_empty() || values.len() != last.len() {
            return None;
        }
        Some(Self { first: NonNull::new(values.as_mut_ptr())?, last })
    }
}
