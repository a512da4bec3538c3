//! Rows that come, and rows that are dead.

use super::LabelIndex;
use super::writer::RunWriter;
use crate::error::LabelError;
use crate::place::Place;
use crate::row::Row;
use crate::run::RunId;

impl LabelIndex {
    /// Appends rows, and marks others of the run as dead, which they supersede. All of it is durable when this returns.
    /// Of an error of the disk nobody knows whether it was done: to do it once more is good, because of two rows of one
    /// sample the later counts.
    ///
    /// # Errors
    /// A row that is not kept (then none is), a run that is gone, what the disk refuses, or an index that is broken.
    pub fn append(&self, run: RunId, rows: &[Row<'_>], superseded: &[Place]) -> Result<Vec<Place>, LabelError> {
        for (at, row) in rows.iter().enumerate() {
            row.check().map_err(|fault| LabelError::Row { at, fault })?;
        }
        self.database.write(|transaction| {
            let mut writer = RunWriter::open(transaction, run)?;
            let places = if rows.is_empty() { Vec::new() } else { writer.append(rows)? };
            writer.kill(superseded)?;
            writer.close()?;
            Ok(places)
        })
    }

    /// Marks rows as dead, such as those of photos that are gone.
    ///
    /// # Errors
    /// A run that is gone, what the disk refuses, or an index that is broken.
    pub fn kill(&self, run: RunId, places: &[Place]) -> Result<(), LabelError> {
        self.append(run, &[], places).map(|_| ())
    }
}
