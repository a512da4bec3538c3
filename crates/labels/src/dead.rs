//! Which rows of a block are dead: superseded by another row, or of a photo that is gone.

use crate::seal;

const MAGIC: seal::Magic = *b"DED\x01";

/// A bit for each row of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dead([u8; 32]);

// === impl Dead ===

impl Dead {
    /// Marks a row.
    pub(crate) fn mark(&mut self, row: u8) {
        self.0[usize::from(row / 8)] |= 1 << (row % 8);
    }

    /// Whether a row is marked.
    pub(crate) fn has(&self, row: u8) -> bool {
        self.0[usize::from(row / 8)] & (1 << (row % 8)) != 0
    }

    /// How many rows are marked.
    pub(crate) fn count(&self) -> usize {
        self.0.iter().map(|byte| byte.count_ones() as usize).sum()
    }

    /// The value that is kept of a block.
    pub(crate) fn seal(&self, run: u32, block: u32) -> Vec<u8> {
        seal::seal(MAGIC, seal::block_key(run, block), &self.0)
    }

    /// What was kept of a block.
    pub(crate) fn open(value: &[u8], run: u32, block: u32) -> Option<Self> {
        let payload = seal::open(MAGIC, seal::block_key(run, block), value)?;
        payload.try_into().ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_dead_once_it_is_marked_and_no_other_is() {
        let mut dead = Dead::default();
        for row in [0, 7, 8, 255, 255] {
            dead.mark(row);
        }
        let marked: Vec<_> = (0..=255).filter(|row| dead.has(*row)).collect();
        assert_eq!((marked, dead.count()), (vec![0, 7, 8, 255], 4));
        let value = dead.seal(3, 5);
        assert_eq!(Dead::open(&value, 3, 5), Some(dead));
        assert_eq!([Dead::open(&value, 3, 6), Dead::open(&value, 4, 5)], [None; 2]);
    }
}
