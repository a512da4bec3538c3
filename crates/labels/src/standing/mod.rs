//! What stands of a run over a listing.

use headwater_types::{ByteCount, ClassId};

use crate::error::LabelError;
use crate::index::LabelIndex;
use crate::place::Place;
use crate::row::Outcome;
use crate::run::RunId;

/// For each sample of a listing, by its index: the best class that a run says, its score, and where the row is.
#[derive(Clone, Debug)]
pub struct Standing {}

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

/// In which order samples of a class come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The highest score first; of one score in the order of the listing.
    ByScore,
    /// In the order of the listing.
    BySample,
}

/// A sample of which two runs say different classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The sample.
    pub sample: u64,
    /// What the earlier says.
    pub from: ClassId,
    /// What the later says.
    pub to: ClassId,
}

/// How two runs over one listing differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Samples that both have labelled.
    pub both: u64,
    /// Those of another best class, in the order of the listing.
    pub samples: Vec<Changed>,
    /// How many there are by earlier and later class: the most first, then by class.
    pub counts: Vec<(ClassId, ClassId, u64)>,
}

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
    pub fn new(_samples: usize) -> Self {
        todo!()
    }

    /// Reads a run. `find` says what the listing has under a row's key.
    pub fn read(
        _index: &LabelIndex,
        _run: RunId,
        _samples: usize,
        _find: &dyn Fn(&str, [u8; 16]) -> Found,
    ) -> Result<Self, LabelError> {
        todo!()
    }

    /// Notes a row that was appended; what stood of the sample is forgotten.
    pub fn set(&mut self, _sample: u64, _outcome: &Outcome<'_>, _place: Place) {
        todo!()
    }

    /// What stands of a sample; `None` where it is not labelled, or only in another version.
    pub fn standing(&self, _sample: u64) -> Option<Best> {
        todo!()
    }

    /// The row of another version of the sample, which a new row supersedes.
    pub fn superseded(&self, _sample: u64) -> Option<Place> {
        todo!()
    }

    /// Rows to be killed: their samples are gone, or have a later row.
    pub fn gone(&self) -> &[Place] {
        todo!()
    }

    /// Samples that have a class.
    pub fn labelled(&self) -> u64 {
        todo!()
    }

    /// Samples that could not be labelled.
    pub fn failed(&self) -> u64 {
        todo!()
    }

    /// Samples by best class, of those whose score is at least this.
    pub fn counts(&self, _min_score: f32) -> Vec<u64> {
        todo!()
    }

    /// The first samples of a class whose score is at least this.
    pub fn of_class(&self, _class: ClassId, _min_score: f32, _order: Order, _limit: usize) -> Vec<u64> {
        todo!()
    }

    /// The samples of the lowest best scores, the lowest first.
    pub fn uncertain(&self, _limit: usize) -> Vec<u64> {
        todo!()
    }

    /// What a later run says otherwise.
    pub fn differences(&self, _later: &Self) -> Changes {
        todo!()
    }

    /// The memory that it takes.
    pub fn memory(&self) -> ByteCount {
        todo!()
    }
}
