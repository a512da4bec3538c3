//! A run, read into columns.

use std::ops::ControlFlow;

use super::{NONE, OTHER, Standing};
use crate::error::LabelError;
use crate::index::LabelIndex;
use crate::place::Place;
use crate::row::Row;
use crate::run::RunId;

/// What a listing has under a row's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The sample, in the row's version.
    Here(u64),
    /// The sample, in another version.
    OtherVersion(u64),
    /// Nothing.
    Gone,
}

impl Standing {
    /// Reads a run. `find` says what the listing of so many samples has under a row's key, and in its version.
    ///
    /// # Errors
    /// As [`LabelIndex::each`].
    pub fn read(
        index: &LabelIndex,
        run: RunId,
        samples: usize,
        find: &dyn Fn(&str, [u8; 16]) -> Found,
    ) -> Result<Self, LabelError> {
        let mut standing = Self::new(samples);
        let read = index.each(run, &mut |place, row| {
            standing.take(find(row.key, row.version), &row, place);
            ControlFlow::Continue(())
        })?;
        standing.broken_blocks = read.broken_blocks;
        standing.gone.sort_unstable();
        Ok(standing)
    }

    /// Takes a row that is later than all before.
    fn take(&mut self, found: Found, row: &Row<'_>, place: Place) {
        match found {
            Found::Here(sample) => {
                self.gone.extend(self.earlier(sample));
                self.set(sample, &row.outcome, place);
            }
            Found::OtherVersion(sample) if self.standing(sample).is_some() => self.gone.push(place),
            Found::OtherVersion(sample) => {
                self.gone.extend(self.earlier(sample));
                self.put(sample, OTHER, 0.0, place);
            }
            Found::Gone => self.gone.push(place),
        }
    }

    /// The row that a sample has so far.
    fn earlier(&self, sample: u64) -> Option<Place> {
        let at = usize::try_from(sample).ok()?;
        self.place(at).filter(|_| self.classes[at] != NONE)
    }
}
