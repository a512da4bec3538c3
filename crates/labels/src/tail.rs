//! Where a run ends: what the next row's place is, and how many rows are not dead.

use crate::seal;

const MAGIC: seal::Magic = *b"TAL\x01";

/// The end of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tail {
    /// Blocks that were ever begun. Their numbers are not given again, whatever became of them.
    pub(crate) blocks: u32,
    /// Rows that are not dead.
    pub(crate) live: u64,
}

// === impl Tail ===

impl Tail {
    /// The number of the block that was begun last.
    pub(crate) fn last(&self) -> Option<u32> {
        self.blocks.checked_sub(1)
    }

    /// The value that is kept of a run.
    pub(crate) fn seal(&self, run: u32) -> Vec<u8> {
        let payload = [&self.blocks.to_le_bytes()[..], &self.live.to_le_bytes()].concat();
        seal::seal(MAGIC, u64::from(run), &payload)
    }

    /// What was kept of a run.
    pub(crate) fn open(value: &[u8], run: u32) -> Option<Self> {
        let payload: &[u8; 12] = seal::open(MAGIC, u64::from(run), value)?.try_into().ok()?;
        let (blocks, live) = payload.split_first_chunk()?;
        Some(Self { blocks: u32::from_le_bytes(*blocks), live: u64::from_le_bytes(live.try_into().ok()?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_that_of_its_run() {
        let tail = Tail { blocks: 4096, live: 1_000_000 };
        assert_eq!(Tail::open(&tail.seal(1), 1), Some(tail));
        assert_eq!(Tail::open(&tail.seal(1), 2), None);
        assert_eq!([tail.last(), Tail::default().last()], [Some(4095), None]);
    }
}
