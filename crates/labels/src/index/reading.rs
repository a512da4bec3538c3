//! One run, as it was when somebody began to read it.

use redb::ReadTransaction;

use crate::dead::Dead;
use crate::error::LabelError;
use crate::fault::Fault;
use crate::run::RunId;
use crate::tables::{BLOCKS, DEAD, ReadRows, TAILS};

/// A run that is being read.
pub(super) struct Reading {
    run: u32,
    blocks: ReadRows,
    dead: ReadRows,
}

/// A block as it lies in the file.
pub(super) struct Stored {
    pub(super) number: u32,
    pub(super) value: Vec<u8>,
    pub(super) dead: Dead,
}

// === impl Reading ===

impl Reading {
    pub(super) fn open(transaction: &ReadTransaction, run: RunId) -> Result<Self, Fault> {
        if transaction.open_table(TAILS)?.get(run.0)?.is_none() {
            return Err(LabelError::NoSuchRun { run }.into());
        }
        Ok(Self { run: run.0, blocks: transaction.open_table(BLOCKS)?, dead: transaction.open_table(DEAD)? })
    }

    /// The first block whose number is at least this.
    pub(super) fn next(&self, least: u32) -> Result<Option<Stored>, Fault> {
        let Some(entry) = self.blocks.range((self.run, least)..=(self.run, u32::MAX))?.next() else { return Ok(None) };
        let (key, value) = entry?;
        self.stored(key.value().1, value.value()).map(Some)
    }

    /// The block of this number.
    pub(super) fn block(&self, number: u32) -> Result<Option<Stored>, Fault> {
        let value = self.blocks.get((self.run, number))?;
        value.map(|value| self.stored(number, value.value())).transpose()
    }

    fn stored(&self, number: u32, value: &[u8]) -> Result<Stored, Fault> {
        let dead = match self.dead.get((self.run, number))? {
            Some(bits) => Dead::open(bits.value(), self.run, number).ok_or_else(|| {
                Fault::Broken(format!("the list of dead rows of run {} is not what was written", self.run))
            })?,
            None => Dead::default(),
        };
        Ok(Stored { number, value: value.to_vec(), dead })
    }
}
