//! The generations of a dataset that are held: the current one, and earlier ones for calls that began with them.
//!
//! An earlier generation is held while a call has it, and for some time after its last call, and at most
//! [`MOST_EARLIER`] are. What differs between one and the next is kept for longer, so that a client that comes back
//! late finds where its samples are now.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_types::{ByteCount, Differences, Digest};

use crate::generation::Generation;

/// Most generations that are held beside the current one. Each takes the memory of its catalog.
const MOST_EARLIER: usize = 4;
/// Most steps from one generation to the next that are kept.
const MOST_STEPS: usize = 64;
/// Most ranges of all those steps: 16 bytes each.
const MOST_RANGES: usize = 1 << 20;

/// Generations that are held.
pub(crate) struct Generations {
    current: Arc<Generation>,
    /// From the oldest on.
    earlier: Vec<Held>,
    /// From the oldest on; each begins where the one before ends.
    steps: VecDeque<Step>,
}

/// A generation that is not the current one.
struct Held {
    generation: Arc<Generation>,
    /// When a call last asked for it.
    asked: Instant,
}

/// What differs between a generation and the next.
#[derive(Clone)]
pub(crate) struct Step {
    from: Digest,
    to: Digest,
    differences: Arc<Differences>,
}

// === impl Generations ===

impl Generations {
    pub(crate) fn new(current: Generation) -> Self {
        Self { current: Arc::new(current), earlier: Vec::new(), steps: VecDeque::new() }
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
        self.steps.push_back(Step { from, to, differences });
        let ranges = |steps: &VecDeque<Step>| steps.iter().map(Step::ranges).sum::<usize>();
        while self.steps.len() > MOST_STEPS || ranges(&self.steps) > MOST_RANGES {
            self.steps.pop_front();
        }
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
        // A dataset may become again what it was: the latest way counts.
        let end = self.steps.iter().rposition(|step| step.to == to)?;
        let start = self.steps.iter().take(end + 1).rposition(|step| step.from == from)?;
        Some(self.steps.range(start..=end).cloned().collect())
    }
}

// === impl Step ===

impl Step {
    /// What differs between the ends of all these steps.
    pub(crate) fn compose(steps: &[Self]) -> Differences {
        let mut steps = steps.iter().map(|step| &*step.differences);
        let first = steps.next().cloned().unwrap_or_default();
        steps.fold(first, |all, next| all.then(next))
    }

    fn ranges(&self) -> usize {
        let Differences { removed, added, replaced } = &*self.differences;
        removed.len() + added.len() + replaced.len()
    }
}
