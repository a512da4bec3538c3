//! The generations of a dataset that are held: the current one, and earlier ones for calls that began with them.
//!
//! An earlier generation is held while a call has it, and for some time after its last call, and at most
//! [`MOST_EARLIER`] are. What differs between one and the next is kept for longer, also over a restart where there is a
//! `--state` ([`Past`]), so that a client that comes back late finds where its samples are now.

use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_store::{Past, Step};
use headwater_types::{ByteCount, Differences, Digest};

use crate::generation::Generation;

/// Most generations that are held beside the current one. Each takes the memory of its catalog.
const MOST_EARLIER: usize = 4;

/// Generations that are held.
pub(crate) struct Generations {
    current: Arc<Generation>,
    /// From the oldest on.
    earlier: Vec<Held>,
    past: Past,
}

/// A generation that is not the current one.
struct Held {
    generation: Arc<Generation>,
    /// When a call last asked for it.
    asked: Instant,
}

// === impl Generations ===

impl Generations {
    pub(crate) fn new(current: Generation, past: Past) -> Self {
        Self { current: Arc::new(current), earlier: Vec::new(), past }
    }

    pub(crate) fn current(&self) -> &Arc<Generation> {
        &self.current
    }

    /// Every generation that is held, the current one first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Generation>> {
        [&self.current].into_iter().chain(self.earlier.iter().rev().map(|held| &held.generation))
    }

    /// The held generation of this digest, which is held on from now.
    pub(crate) fn find(&mut self, digest: Digest) -> Option<Arc<Generation>> {
        if self.current.digest() == digest {
            return Some(Arc::clone(&self.current));
        }
        let held = self.earlier.iter_mut().rev().find(|held| held.generation.digest() == digest)?;
        held.asked = Instant::now();
        Some(Arc::clone(&held.generation))
    }

    /// Makes a generation the current one. It differs in this from the one before.
    pub(crate) fn publish(&mut self, next: Generation, differences: Arc<Differences>) {
        let (from, to) = (self.current.digest(), next.digest());
        let generation = std::mem::replace(&mut self.current, Arc::new(next));
        self.earlier.push(Held { generation, asked: Instant::now() });
        if self.earlier.len() > MOST_EARLIER {
            self.earlier.remove(0);
        }
        self.past.add(from, to, differences);
        self.past.keep(self.current.catalog());
    }

    /// Lets go of generations that no call has had for so long.
    pub(crate) fn let_go(&mut self, keep: Duration) {
        self.earlier.retain(|held| Arc::strong_count(&held.generation) > 1 || held.asked.elapsed() < keep);
    }

    /// Memory of the catalogs that are held beside the current one.
    pub(crate) fn earlier_memory(&self) -> ByteCount {
        let memory = self.earlier.iter().map(|held| held.generation.catalog().memory().get());
        ByteCount::new(memory.sum())
    }

    /// The steps from one generation to another, in their order; `None` where the way is not known.
    pub(crate) fn steps(&self, from: Digest, to: Digest) -> Option<Vec<Step>> {
        self.past.between(from, to)
    }
}
