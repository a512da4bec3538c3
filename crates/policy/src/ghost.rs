//! Keys that left the cache a short while ago without having been used.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Keys that are remembered, the oldest first.
#[derive(Debug)]
pub(crate) struct Ghost<K> {
    /// The number under which a key was remembered last.
    keys: HashMap<K, u64>,
    queue: VecDeque<(K, u64)>,
    number: u64,
}

// === impl Ghost ===

impl<K: Clone + Eq + Hash> Ghost<K> {
    pub(crate) fn new() -> Self {
        Self { keys: HashMap::new(), queue: VecDeque::new(), number: 0 }
    }

    /// Remembers a key, and at most so many of them.
    pub(crate) fn remember(&mut self, key: K, most: usize) {
        self.number += 1;
        self.keys.insert(key.clone(), self.number);
        self.queue.push_back((key, self.number));
        while self.queue.len() > most {
            let Some((key, number)) = self.queue.pop_front() else { return };
            if self.keys.get(&key) == Some(&number) {
                self.keys.remove(&key);
            }
        }
    }

    /// Whether a key is remembered; it is not any more.
    pub(crate) fn take(&mut self, key: &K) -> bool {
        self.keys.remove(key).is_some()
    }
}
