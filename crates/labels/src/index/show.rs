//! Rows, shown one by one.

use std::io;
use std::ops::ControlFlow;

use super::LabelIndex;
use super::reading::{Reading, Stored};
use super::writer::RunWriter;
use crate::block::{Block, Unpacker};
use crate::error::LabelError;
use crate::place::Place;
use crate::row::Row;
use crate::run::RunId;

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Rows that were shown to the visitor.
    pub rows: u64,
    /// Blocks that are not what was written: they are dropped, and their photos are labelled again.
    pub broken_blocks: u64,
}

/// One block after the other, unpacked.
struct Unpacked {
    run: RunId,
    unpacker: Unpacker,
    block: Block,
    read: Read,
}

impl LabelIndex {
    /// Shows every row that is not dead, in the order of places, as the run is when this begins. The visitor may call
    /// the index.
    ///
    /// # Errors
    /// A run that is gone, what the disk refuses, or an index that is broken. Rows may have been shown by then.
    pub fn each(
        &self,
        run: RunId,
        visit: &mut dyn FnMut(Place, Row<'_>) -> ControlFlow<()>,
    ) -> Result<Read, LabelError> {
        let reading = self.database.read(|transaction| Reading::open(transaction, run))?;
        let mut unpacked = self.unpacked(run)?;
        let mut least = Some(0);
        while let Some(from) = least {
            let Some(stored) = self.database.resume(|| reading.next(from))? else { break };
            least = stored.number.checked_add(1);
            if unpacked.each(&stored, visit).is_break() {
                break;
            }
        }
        self.finish(unpacked)
    }

    /// Shows the rows at these places, which are sorted. One that is dead or broken is left out.
    ///
    /// # Errors
    /// As [`Self::each`].
    pub fn at(&self, run: RunId, places: &[Place], visit: &mut dyn FnMut(Place, Row<'_>)) -> Result<Read, LabelError> {
        let reading = self.database.read(|transaction| Reading::open(transaction, run))?;
        let mut unpacked = self.unpacked(run)?;
        for places in places.chunk_by(|one, next| one.block() == next.block()) {
            let Some(first) = places.first() else { continue };
            if let Some(stored) = self.database.resume(|| reading.block(first.block()))? {
                unpacked.at(&stored, places, visit);
            }
        }
        self.finish(unpacked)
    }

    fn unpacked(&self, run: RunId) -> Result<Unpacked, LabelError> {
        let folder = || self.database.folder().path().to_owned();
        let no_memory = |source: io::Error| LabelError::Disk { action: "unpack", folder: folder(), source };
        let unpacker = Unpacker::new().map_err(no_memory)?;
        Ok(Unpacked { run, unpacker, block: Block::default(), read: Read::default() })
    }

    /// Drops what was found broken.
    fn finish(&self, Unpacked { run, read, .. }: Unpacked) -> Result<Read, LabelError> {
        if read.broken_blocks > 0 {
            // What was shown is good whether this works or not: who reads next tries again.
            let _ = self.database.write(|transaction| {
                let mut writer = RunWriter::open(transaction, run)?;
                writer.drop_broken()?;
                writer.close()
            });
        }
        Ok(read)
    }
}

// === impl Unpacked ===

impl Unpacked {
    /// Shows the rows of a block that are not dead.
    fn each(&mut self, stored: &Stored, visit: &mut dyn FnMut(Place, Row<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        self.open(stored);
        for (row, shown) in self.block.rows().filter(|(row, _)| !stored.dead.has(*row)) {
            self.read.rows += 1;
            visit(Place::new(stored.number, row), shown)?;
        }
        ControlFlow::Continue(())
    }

    /// Shows some rows of a block.
    fn at(&mut self, stored: &Stored, places: &[Place], visit: &mut dyn FnMut(Place, Row<'_>)) {
        self.open(stored);
        for place in places.iter().filter(|place| !stored.dead.has(place.row())) {
            if let Some(row) = self.block.row(place.row()) {
                self.read.rows += 1;
                visit(*place, row);
            }
        }
    }

    /// Unpacks a block. One that is broken has no rows.
    fn open(&mut self, stored: &Stored) {
        let opened = self.unpacker.open(&stored.value, self.run.0, stored.number, &mut self.block);
        self.read.broken_blocks += u64::from(opened.is_err());
    }
}
