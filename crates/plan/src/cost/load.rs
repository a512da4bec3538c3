//! What samples add up to, and what that is worth.

use crate::profile::ProfileRow;

/// The sums over some samples on which every resource's time depends.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Load {
    /// Bytes of payloads.
    pub(crate) bytes: f64,
    /// CPU seconds of the server.
    pub(crate) storage: f64,
    /// CPU seconds of the trainer, without those for receiving.
    pub(crate) trainer: f64,
    /// Samples that the server infers.
    pub(crate) inferred_there: f64,
    /// Samples that the trainer infers.
    pub(crate) inferred_here: f64,
}

/// What a byte, two kinds of CPU second and an inference on either side are worth at one server.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rates {
    pub(crate) byte: f64,
    pub(crate) storage: f64,
    pub(crate) trainer: f64,
    pub(crate) inferred_there: f64,
    pub(crate) inferred_here: f64,
}

// === impl Load ===

impl Load {
    pub(crate) fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.storage += other.storage;
        self.trainer += other.trainer;
        self.inferred_there += other.inferred_there;
        self.inferred_here += other.inferred_here;
    }

    /// `self + factor x other`.
    pub(crate) fn plus(self, factor: f64, other: Self) -> Self {
        Self {
            bytes: self.bytes + factor * other.bytes,
            storage: self.storage + factor * other.storage,
            trainer: self.trainer + factor * other.trainer,
            inferred_there: self.inferred_there + factor * other.inferred_there,
            inferred_here: self.inferred_here + factor * other.inferred_here,
        }
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        self.plus(-1.0, other)
    }
}

// === impl Rates ===

impl Rates {
    pub(crate) fn of(self, load: Load) -> f64 {
        let work = self.byte * load.bytes + self.storage * load.storage + self.trainer * load.trainer;
        work + self.inferred_there * load.inferred_there + self.inferred_here * load.inferred_here
    }
}

// === impl ProfileRow ===

impl ProfileRow<'_> {
    pub(crate) fn load(&self, position: usize) -> Load {
        let [inferred_there, inferred_here] = self.inferred(position);
        Load {
            bytes: self.bytes[position].into(),
            storage: self.storage[position],
            trainer: self.trainer[position],
            inferred_there,
            inferred_here,
        }
    }
}
