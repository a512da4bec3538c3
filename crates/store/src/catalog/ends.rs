//! Where each of many texts ends that stand one after the other: four bytes each.

/// Places that ascend: their lower halves, and from which on the higher half is one more.
#[derive(Debug, Default)]
pub(super) struct Ends {
    low: Vec<u32>,
    /// The positions at which the higher half has grown by one.
    turns: Vec<usize>,
}

// === impl Ends ===

impl Ends {
    pub(super) fn with_capacity(texts: usize) -> Self {
        Self { low: Vec::with_capacity(texts), turns: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.low.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.low.is_empty()
    }

    /// Adds a place, which is not before the last one.
    pub(super) fn push(&mut self, end: usize) {
        let (high, low) = (end >> u32::BITS, end as u32);
        while self.turns.len() < high {
            self.turns.push(self.low.len());
        }
        self.low.push(low);
    }

    pub(super) fn get(&self, at: usize) -> Option<usize> {
        let low = *self.low.get(at)? as usize;
        let high = self.turns.partition_point(|turn| *turn <= at);
        Some(high << u32::BITS | low)
    }

    /// The memory that they take, in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.low) + size_of_val(&*self.turns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_any_size_come_back() {
        let turn = 1usize << 32;
        let places = [0, 5, turn - 1, turn, turn, turn + 7, 4 * turn + 1, 5 * turn];
        let mut ends = Ends::with_capacity(places.len());
        places.into_iter().for_each(|place| ends.push(place));
        assert_eq!((0..places.len()).filter_map(|at| ends.get(at)).collect::<Vec<_>>(), places);
        assert_eq!((ends.len(), ends.get(places.len())), (places.len(), None));
        assert_eq!(ends.memory(), 4 * places.len() + 5 * size_of::<usize>());
    }
}
