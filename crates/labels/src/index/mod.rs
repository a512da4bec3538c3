//! The index of a storage node.

use std::ops::ControlFlow;
use std::path::Path;

use headwater_types::{ByteCount, Digest};

use crate::error::{LabelError, MovedAside};
use crate::labeller::Labeller;
use crate::place::Place;
use crate::row::Row;
use crate::run::{Run, RunId};

/// What models said of the photos of a node, in one file. Every call blocks on the disk. Calls of several threads at
/// once are good; a visitor must not call the index that it is shown.
#[derive(Debug)]
pub struct LabelIndex {}

/// An index that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The index.
    pub index: LabelIndex,
    /// The broken one that was in its place.
    pub moved_aside: Option<MovedAside>,
}

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Rows that were shown to the visitor.
    pub rows: u64,
    /// Blocks that are not what was written, and were dropped.
    pub broken_blocks: u64,
}

// === impl LabelIndex ===

impl LabelIndex {
    /// Opens the index of a folder, or makes both.
    pub fn open(_folder: &Path) -> Result<Opened, LabelError> {
        todo!()
    }

    /// The runs over a dataset, in the order in which they were begun.
    pub fn runs(&self, _dataset: &Digest) -> Result<Vec<Run>, LabelError> {
        todo!()
    }

    /// The run of this labeller over this dataset: found or made.
    pub fn begin(&self, _dataset: &Digest, _labeller: &Labeller, _now: u64) -> Result<Run, LabelError> {
        todo!()
    }

    /// Removes a run with its rows.
    pub fn forget(&self, _run: RunId) -> Result<(), LabelError> {
        todo!()
    }

    /// Appends rows, and marks others as dead. All of it is durable when it returns.
    pub fn append(&self, _run: RunId, _rows: &[Row<'_>], _superseded: &[Place]) -> Result<Vec<Place>, LabelError> {
        todo!()
    }

    /// Marks rows as dead, such as those of photos that are gone.
    pub fn kill(&self, _run: RunId, _places: &[Place]) -> Result<(), LabelError> {
        todo!()
    }

    /// Shows every row that is not dead, in the order of places.
    pub fn each(
        &self,
        _run: RunId,
        _visit: &mut dyn FnMut(Place, Row<'_>) -> ControlFlow<()>,
    ) -> Result<Read, LabelError> {
        todo!()
    }

    /// Shows the rows at these places, which are sorted. One that is dead or broken is left out.
    pub fn at(
        &self,
        _run: RunId,
        _places: &[Place],
        _visit: &mut dyn FnMut(Place, Row<'_>),
    ) -> Result<Read, LabelError> {
        todo!()
    }

    /// Keeps a job's record, in the place of an earlier one.
    pub fn put_job(&self, _id: &str, _record: &[u8]) -> Result<(), LabelError> {
        todo!()
    }

    /// Removes a job's record, if there is one.
    pub fn remove_job(&self, _id: &str) -> Result<(), LabelError> {
        todo!()
    }

    /// All jobs with their records, by id.
    pub fn jobs(&self) -> Result<Vec<(String, Vec<u8>)>, LabelError> {
        todo!()
    }

    /// The bytes that the index's file takes.
    pub fn bytes_on_disk(&self) -> ByteCount {
        todo!()
    }
}
