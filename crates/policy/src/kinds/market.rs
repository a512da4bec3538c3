//! Which kind of each sample is worth its bytes, kept up as samples come and change.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use crate::order::ordered;

use super::hull::{Choice, Step, steps};

/// Samples with their kinds, and the bytes that all of them together may take.
///
/// Steps of all samples are bought in the order of value for each byte, while there are bytes. That is the optimum of
/// the linear relaxation, but for the one step that does not fit whole (Kellerer, Pferschy and Pisinger 2004, chapter
/// 11). A sample that comes, changes or goes costs a logarithm for each step that is bought or sold for it.
#[derive(Debug)]
pub struct Market<K> {
    capacity: u64,
    bytes: u64,
    samples: HashMap<K, usize>,
    keys: Vec<Option<Kept<K>>>,
    free: Vec<usize>,
    /// Steps that are bought: the last one is sold first.
    bought: BTreeSet<Place>,
    /// Steps that are not: the first one is bought first.
    open: BTreeSet<Place>,
}

#[derive(Debug)]
struct Kept<K> {
    key: K,
    kinds: Vec<Choice>,
    steps: Vec<Step>,
    /// Steps of it that are bought.
    bought: usize,
}

/// A kind that has no room even alone.
const WORTHLESS: Choice = Choice { bytes: 0, value: 0.0 };

/// Density (the largest first), sample, step.
type Place = (std::cmp::Reverse<u64>, usize, usize);

// === impl Market ===

impl<K: Clone + Eq + Hash> Market<K> {
    /// Nothing yet, and so many bytes.
    pub fn new(capacity: u64) -> Self {
        Self {
            capacity,
            bytes: 0,
            samples: HashMap::new(),
            keys: Vec::new(),
            free: Vec::new(),
            bought: BTreeSet::new(),
            open: BTreeSet::new(),
        }
    }

    /// A sample and what it may be kept as, instead of what was known of it.
    pub fn set(&mut self, key: K, kinds: &[Choice]) {
        self.take_out(&key);
        let fitting: Vec<_> =
            kinds.iter().map(|&kind| if kind.bytes > self.capacity { WORTHLESS } else { kind }).collect();
        let kept = Kept { key: key.clone(), kinds: kinds.to_vec(), steps: steps(&fitting), bought: 0 };
        let sample = self.free.pop().unwrap_or(self.keys.len());
        self.open.extend(kept.steps.iter().enumerate().map(|(step, of)| place(sample, step, of)));
        match self.keys.get_mut(sample) {
            Some(place) => *place = Some(kept),
            None => self.keys.push(Some(kept)),
        }
        self.samples.insert(key, sample);
        self.balance();
    }

    /// There is no such sample any more.
    pub fn remove(&mut self, key: &K) {
        self.take_out(key);
        self.balance();
    }

    /// So many bytes from now on. Every sample is looked at again.
    pub fn resize(&mut self, capacity: u64) {
        self.capacity = capacity;
        let all = self.keys.iter().flatten().map(|kept| (kept.key.clone(), kept.kinds.clone()));
        for (key, kinds) in all.collect::<Vec<_>>() {
            self.set(key, &kinds);
        }
    }

    /// The kind that a sample is worth keeping as; `None` where none is.
    pub fn kind(&self, key: &K) -> Option<usize> {
        let kept = self.keys[*self.samples.get(key)?].as_ref()?;
        Some(kept.steps.get(kept.bought.checked_sub(1)?)?.kind)
    }

    /// Bytes of all that is worth keeping.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Value for each byte of the next step that has no room: what is worth less is not worth its bytes. 0 while there
    /// is room for all.
    pub fn price(&self) -> f64 {
        let next = self.open.first().and_then(|&(_, sample, step)| self.step(sample, step));
        next.map_or(0.0, |step| step.density)
    }

    fn step(&self, sample: usize, step: usize) -> Option<Step> {
        self.keys.get(sample)?.as_ref()?.steps.get(step).copied()
    }

    fn take_out(&mut self, key: &K) {
        let Some(sample) = self.samples.remove(key) else { return };
        let Some(kept) = self.keys[sample].take() else { return };
        for (step, of) in kept.steps.iter().enumerate() {
            if self.bought.remove(&place(sample, step, of)) {
                self.bytes -= of.bytes;
            } else {
                self.open.remove(&place(sample, step, of));
            }
        }
        self.free.push(sample);
    }

    /// Sells what is too much, and whatever is worth less than a step that is not bought; buys while there is room.
    fn balance(&mut self) {
        loop {
            let (last, next) = (self.bought.last().copied(), self.open.first().copied());
            let room = |next: &Place| self.room_for(next.1, next.2);
            match (last, next) {
                (Some(last), _) if self.bytes > self.capacity => self.sell(last),
                (_, Some(next)) if room(&next) => self.buy(next),
                (Some(last), Some(next)) if last > next => self.sell(last),
                _ => return,
            }
        }
    }

    fn room_for(&self, sample: usize, step: usize) -> bool {
        self.step(sample, step).is_some_and(|step| step.bytes <= self.capacity.saturating_sub(self.bytes))
    }

    fn buy(&mut self, at: Place) {
        self.open.remove(&at);
        self.bought.insert(at);
        self.count(at, 1);
    }

    fn sell(&mut self, at: Place) {
        self.bought.remove(&at);
        self.open.insert(at);
        self.count(at, -1);
    }

    fn count(&mut self, (_, sample, step): Place, by: isize) {
        let Some(kept) = self.keys.get_mut(sample).and_then(Option::as_mut) else { return };
        let Some(&Step { bytes, .. }) = kept.steps.get(step) else { return };
        kept.bought = kept.bought.saturating_add_signed(by);
        self.bytes = if by > 0 { self.bytes.saturating_add(bytes) } else { self.bytes.saturating_sub(bytes) };
    }
}

fn place(sample: usize, step: usize, of: &Step) -> Place {
    (std::cmp::Reverse(ordered(of.density)), sample, step)
}
