//! What stands of a run over a listing, in memory: what is asked often is answered from here.
//!
//! ```text
//! sample ─▶ class u32 │ score f32 │ block u32 │ row u8        13 bytes a sample
//!
//! class   of the best label; or that there is no row, a failure, or the row of another version
//! ```
//!
//! A sample has at most one row here. Of several the later counts, and of two versions the one that is listed; the
//! others are [`gone`](Standing::gone), as are rows whose sample is.

mod changes;
mod questions;
mod read;

use headwater_types::{ByteCount, ClassId};

use crate::place::Place;
use crate::row::Outcome;

pub use changes::{Changed, Changes};
pub use questions::Order;
pub use read::Found;

/// For each sample of a listing, by its index: the best class that a run says, its score, and where the row is.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    classes: Vec<u32>,
    scores: Vec<f32>,
    blocks: Vec<u32>,
    rows: Vec<u8>,
    gone: Vec<Place>,
    labelled: u64,
    failed: u64,
    broken_blocks: u64,
}

/// What stands of one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Best {
    /// The model said something.
    Labelled {
        /// The class of the highest score.
        class: ClassId,
        /// That score.
        score: f32,
        /// The row.
        place: Place,
    },
    /// The sample could not be labelled.
    Failed {
        /// The row, which says why.
        place: Place,
    },
}

/// There is no row.
const NONE: u32 = u32::MAX;
/// There is a row, which says why there is no label.
const FAILED: u32 = u32::MAX - 1;
/// There is a row of another version.
const OTHER: u32 = u32::MAX - 2;

// === impl Best ===

impl Best {
    /// The row.
    pub fn place(self) -> Place {
        match self {
            Self::Labelled { place, .. } | Self::Failed { place } => place,
        }
    }
}

// === impl Standing ===

impl Standing {
    /// Nothing stands yet, of so many samples.
    pub fn new(samples: usize) -> Self {
        Self {
            classes: vec![NONE; samples],
            scores: vec![0.0; samples],
            blocks: vec![0; samples],
            rows: vec![0; samples],
            ..Self::default()
        }
    }

    /// Notes a row that was appended. What stood of the sample is forgotten; a sample that there is not is nothing.
    pub fn set(&mut self, sample: u64, outcome: &Outcome<'_>, place: Place) {
        let (class, score) = match outcome {
            Outcome::Labels(labels) => labels.first().map_or((NONE, 0.0), |best| (best.class.0, best.score)),
            Outcome::Failed(_) => (FAILED, 0.0),
        };
        self.put(sample, class, score, place);
    }

    /// What stands of a sample; `None` where it is not labelled, or only in another version.
    pub fn standing(&self, sample: u64) -> Option<Best> {
        let at = usize::try_from(sample).ok()?;
        let place = self.place(at)?;
        match self.classes[at] {
            OTHER => None,
            FAILED => Some(Best::Failed { place }),
            class => Some(Best::Labelled { class: ClassId(class), score: self.scores[at], place }),
        }
    }

    /// The row of another version of the sample, which a new row supersedes.
    pub fn superseded(&self, sample: u64) -> Option<Place> {
        let at = usize::try_from(sample).ok()?;
        self.place(at).filter(|_| self.classes[at] == OTHER)
    }

    /// Rows that are to be killed: their samples are gone, or have another row that counts. Sorted.
    pub fn gone(&self) -> &[Place] {
        &self.gone
    }

    /// Samples that have a class.
    pub fn labelled(&self) -> u64 {
        self.labelled
    }

    /// Samples that could not be labelled.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// Blocks that were found broken when the run was read, and were dropped.
    pub fn broken_blocks(&self) -> u64 {
        self.broken_blocks
    }

    /// The memory that it takes.
    pub fn memory(&self) -> ByteCount {
        let columns = 4 * (self.classes.capacity() + self.scores.capacity() + self.blocks.capacity());
        ByteCount::from(columns + self.rows.capacity() + self.gone.capacity() * size_of::<Place>())
    }

    fn put(&mut self, sample: u64, class: u32, score: f32, place: Place) {
        let Some(at) = usize::try_from(sample).ok().filter(|at| *at < self.classes.len()) else { return };
        self.count(at, |count| *count -= 1);
        (self.classes[at], self.scores[at]) = (class, score);
        (self.blocks[at], self.rows[at]) = (place.block(), place.row());
        self.count(at, |count| *count += 1);
    }

    /// Changes the count that a sample is counted in.
    fn count(&mut self, at: usize, change: impl FnOnce(&mut u64)) {
        match self.classes[at] {
            NONE | OTHER => {}
            FAILED => change(&mut self.failed),
            _ => change(&mut self.labelled),
        }
    }

    /// The row of a sample, of whatever version.
    fn place(&self, at: usize) -> Option<Place> {
        let is_there = self.classes.get(at).is_some_and(|class| *class != NONE);
        is_there.then(|| Place::new(self.blocks[at], self.rows[at]))
    }

    /// Every sample that has a class: its index, the class and the score.
    fn best(&self) -> impl Iterator<Item = (u64, u32, f32)> {
        let columns = self.classes.iter().zip(&self.scores).zip(0_u64..);
        columns.filter(|((class, _), _)| **class < OTHER).map(|((class, score), sample)| (sample, *class, *score))
    }
}

#[cfg(test)]
mod tests;
