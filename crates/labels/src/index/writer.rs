//! One run, while a transaction writes it.

use std::collections::BTreeMap;

use redb::{ReadableTable as _, Table, WriteTransaction};

use crate::block::{Block, Packer, Unpacker, rows_of};
use crate::dead::Dead;
use crate::error::LabelError;
use crate::fault::Fault;
use crate::place::Place;
use crate::row::Row;
use crate::run::RunId;
use crate::tables::{BLOCKS, Bytes, DEAD, TAILS, WriteRows, blocks_of};
use crate::tail::Tail;

/// A run that is being written.
pub(super) struct RunWriter<'a> {
    run: u32,
    blocks: WriteRows<'a>,
    dead: WriteRows<'a>,
    tails: Table<'a, u32, Bytes>,
    tail: Tail,
}

// === impl RunWriter ===

impl<'a> RunWriter<'a> {
    pub(super) fn open(transaction: &'a WriteTransaction, run: RunId) -> Result<Self, Fault> {
        let tails = transaction.open_table(TAILS)?;
        let tail = match tails.get(run.0)? {
            Some(value) => Tail::open(value.value(), run.0).ok_or_else(|| broken("tail", run.0))?,
            None => return Err(LabelError::NoSuchRun { run }.into()),
        };
        let (blocks, dead) = (transaction.open_table(BLOCKS)?, transaction.open_table(DEAD)?);
        Ok(Self { run: run.0, blocks, dead, tails, tail })
    }

    /// Notes where the run ends now.
    pub(super) fn close(mut self) -> Result<(), Fault> {
        self.tails.insert(self.run, self.tail.seal(self.run).as_slice())?;
        Ok(())
    }

    /// Adds rows that were checked: to the last block while it has room, then to new ones.
    pub(super) fn append(&mut self, rows: &[Row<'_>]) -> Result<Vec<Place>, Fault> {
        let mut packer = Packer::new().map_err(Fault::Disk)?;
        let mut block = Block::default();
        let mut number = self.last_with_room(&mut block)?;
        let mut places = Vec::with_capacity(rows.len());
        for row in rows {
            if block.is_full() {
                self.store(&mut packer, number.take(), &block)?;
            }
            let number = match number {
                Some(number) => number,
                None => *number.insert(self.begin_block(&mut block)?),
            };
            places.push(Place::new(number, block.len() as u8));
            block.push(row);
        }
        self.store(&mut packer, number, &block)?;
        self.tail.live += rows.len() as u64;
        Ok(places)
    }

    /// Marks rows as dead. A block of which all are is removed, unless rows may still be added to it.
    pub(super) fn kill(&mut self, places: &[Place]) -> Result<(), Fault> {
        let mut by_block = BTreeMap::<u32, Vec<u8>>::new();
        places.iter().for_each(|place| by_block.entry(place.block()).or_default().push(place.row()));
        let mut has_broken = false;
        for (block, rows) in by_block {
            let count = self.blocks.get((self.run, block))?.map(|value| rows_of(value.value(), self.run, block));
            match count {
                Some(Ok(count)) => self.kill_in(block, count, &rows)?,
                Some(Err(_)) => has_broken = true,
                None => {}
            }
        }
        if has_broken { self.drop_broken() } else { Ok(()) }
    }

    /// Removes blocks that are not what was written, and counts the rows that are left.
    pub(super) fn drop_broken(&mut self) -> Result<(), Fault> {
        let mut broken = Vec::new();
        self.tail.live = 0;
        for entry in self.blocks.range(blocks_of(self.run))? {
            let (key, value) = entry?;
            let (_, block) = key.value();
            match rows_of(value.value(), self.run, block) {
                Ok(rows) => self.tail.live += rows.saturating_sub(self.dead_of(block)?.count()) as u64,
                Err(_) => broken.push(block),
            }
        }
        broken.into_iter().try_for_each(|block| self.remove(block))
    }

    fn kill_in(&mut self, block: u32, count: usize, rows: &[u8]) -> Result<(), Fault> {
        let mut dead = self.dead_of(block)?;
        let before = dead.count();
        rows.iter().filter(|row| usize::from(**row) < count).for_each(|row| dead.mark(*row));
        let killed = (dead.count() - before) as u64;
        self.tail.live = self.tail.live.saturating_sub(killed);
        if dead.count() == count && self.tail.last() != Some(block) {
            self.remove(block)
        } else if killed > 0 {
            self.dead.insert((self.run, block), dead.seal(self.run, block).as_slice())?;
            Ok(())
        } else {
            Ok(())
        }
    }

    /// The number of the last block, if rows can be added to it: `block` has its rows then.
    fn last_with_room(&self, block: &mut Block) -> Result<Option<u32>, Fault> {
        let Some(last) = self.tail.last() else { return Ok(None) };
        let Some(value) = self.blocks.get((self.run, last))? else { return Ok(None) };
        // One that is broken is left for who reads it.
        let is_whole = Unpacker::new().map_err(Fault::Disk)?.open(value.value(), self.run, last, block).is_ok();
        if is_whole && !block.is_full() {
            return Ok(Some(last));
        }
        block.clear();
        Ok(None)
    }

    fn begin_block(&mut self, block: &mut Block) -> Result<u32, Fault> {
        block.clear();
        let number = self.tail.blocks;
        let (actual, most) = (u32::MAX as usize + 1, u32::MAX as usize);
        let full = LabelError::TooLarge { what: "blocks of a run of labels", actual, most };
        self.tail.blocks = number.checked_add(1).ok_or(full)?;
        Ok(number)
    }

    fn store(&mut self, packer: &mut Packer, number: Option<u32>, block: &Block) -> Result<(), Fault> {
        if let Some(number) = number {
            let value = packer.seal(block, self.run, number).map_err(Fault::Disk)?;
            self.blocks.insert((self.run, number), value.as_slice())?;
        }
        Ok(())
    }

    fn dead_of(&self, block: u32) -> Result<Dead, Fault> {
        let Some(value) = self.dead.get((self.run, block))? else { return Ok(Dead::default()) };
        Dead::open(value.value(), self.run, block).ok_or_else(|| broken("list of dead rows", self.run))
    }

    fn remove(&mut self, block: u32) -> Result<(), Fault> {
        self.blocks.remove((self.run, block))?;
        self.dead.remove((self.run, block))?;
        Ok(())
    }
}

fn broken(what: &str, run: u32) -> Fault {
    Fault::Broken(format!("the {what} of run {run} is not what was written"))
}
