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
}

/// What a byte and two kinds of CPU second are worth at one server.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rates {
    pub(crate) byte: f64,
    pub(crate) storage: f64,
    pub(crate) trainer: f64,
}

// === impl Load ===

impl Load {
    pub(crate) fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.storage += other.storage;
        self.trainer += other.trainer;
    }

    /// `self + factor x other`.
    pub(crate) fn plus(self, factor: f64, other: Self) -> Self {
        Self {
            bytes: self.bytes + factor * other.bytes,
            storage: self.storage + factor * other.storage,
            trainer: self.trainer + factor * other.trainer,
        }
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        self.plus(-1.0, other)
    }
}

// === impl Rates ===

impl Rates {
    pub(crate) fn of(self, load: Load) -> f64 {
        self.byte * load.bytes + self.storage * load.storage + self.trainer * load.trainer
    }
}

// === impl ProfileRow ===

impl ProfileRow<'_> {
    pub(crate) fn load(&self, position: usize) -> Load {
        Load { bytes: self.bytes[position].into(), storage: self.storage[position], trainer: self.trainer[position] }
    }
}
