//! Where one server's chunks come from.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use headwater_types::SampleIndex;

use crate::addresses::Addresses;
use crate::chunk::Chunk;
use crate::indices::Indices;
use crate::wanted::Wanted;
use crate::ways::Ways;

/// What is asked of all servers together.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) indices: Indices,
    pub(crate) ways: Ways,
    pub(crate) addresses: Addresses,
}

/// Cuts a request into one server's chunks, in the order of the request.
#[derive(Debug)]
pub(crate) struct ChunkSource {
    wish: Wish,
    /// The indices that the server has.
    held: Range<u64>,
    /// The largest number of samples in a chunk.
    size: usize,
    /// Whether an index may be in one chunk twice: only where the server says which place of the call a sample answers.
    repeats: bool,
    /// The next position of the request to look at.
    cursor: Mutex<u64>,
}

// === impl ChunkSource ===

impl ChunkSource {
    pub(crate) fn new(wish: Wish, held: Range<u64>, size: usize, repeats: bool) -> Self {
        let cursor = match &wish.indices {
            Indices::Range(range) => held.start.saturating_sub(range.start),
            Indices::List(_) => 0,
        };
        Self { wish, held, size, repeats, cursor: Mutex::new(cursor) }
    }

    /// The next chunk; `None` once there is none.
    pub(crate) fn next(&self) -> Option<Chunk> {
        let mut cursor = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        let mut missing = VecDeque::new();
        let mut seen = HashSet::new();
        while missing.len() < self.size {
            let Some(index) = self.index_at(*cursor) else { break };
            if self.held.contains(&index) {
                // Such an answer names only the index: one call must not ask for the same twice.
                if !self.repeats && !seen.insert(index) {
                    break;
                }
                let (position, local) = (*cursor, index - self.held.start);
                let way = self.wish.ways.of(index)?;
                let address = self.wish.addresses.at(position)?;
                missing.push_back(Wanted { position, local, way, address, failures: 0, failing_since: None });
            }
            *cursor += 1;
        }
        (!missing.is_empty()).then(|| Chunk::new(missing))
    }

    fn index_at(&self, position: u64) -> Option<u64> {
        match &self.wish.indices {
            Indices::Range(range) => {
                let index = range.start.checked_add(position)?;
                (index < range.end.min(self.held.end)).then_some(index)
            }
            Indices::List(indices) => indices.get(usize::try_from(position).ok()?).map(|index: &SampleIndex| index.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::{Address, Cut, Epoch, PixelCoding, Seed, Way};
    use headwater_wire::{Epochs, Samples, Ways as AskedWays};

    use super::*;
    use crate::wanted::as_asked;

    fn wish(indices: Indices, way: Way) -> Wish {
        Wish { indices, ways: way.into(), addresses: Address::default().into() }
    }

    fn chunks(indices: impl Into<Indices>, held: Range<u64>, size: usize, repeats: bool) -> Vec<Vec<(u64, u64)>> {
        let source = ChunkSource::new(wish(indices.into(), Way::ENCODED), held, size, repeats);
        std::iter::from_fn(|| source.next())
            .map(|chunk| chunk.missing().map(|wanted| (wanted.position, wanted.local)).collect())
            .collect()
    }

    fn list(indices: &[u64]) -> Indices {
        indices.iter().map(|&index| SampleIndex(index)).collect()
    }

    #[test]
    fn a_range_gives_each_server_its_part() {
        assert_eq!(chunks(3..12, 0..5, 4, false), [vec![(0, 3), (1, 4)]]);
        assert_eq!(
            chunks(3..12, 5..20, 4, false),
            [vec![(2, 0), (3, 1), (4, 2), (5, 3)], vec![(6, 4), (7, 5), (8, 6)]]
        );
        assert!(chunks(3..12, 20..30, 4, false).is_empty());
        assert!(chunks(3..3, 0..30, 4, false).is_empty());
    }

    #[test]
    fn a_list_keeps_its_order_and_no_call_names_an_index_twice_where_answers_do_not_say_their_place() {
        assert_eq!(chunks(list(&[9, 1, 7, 0, 8]), 5..10, 2, false), [vec![(0, 4), (2, 2)], vec![(4, 3)]]);
        assert_eq!(chunks(list(&[1, 1, 2, 1]), 0..5, 9, false), [vec![(0, 1)], vec![(1, 1), (2, 2)], vec![(3, 1)]]);
        assert_eq!(chunks(list(&[1, 1, 2, 1]), 0..5, 9, true), [[(0, 1), (1, 1), (2, 2), (3, 1)]]);
    }

    #[test]
    fn what_is_consecutive_is_asked_for_as_a_range_and_one_way_as_one() {
        let source = ChunkSource::new(wish(Indices::Range(4..7), Way::raw(Cut::Tensor)), 2..9, 9, true);
        let mut chunk = source.next().unwrap();
        let (samples, ways, epochs) = as_asked(chunk.missing());
        assert_eq!((samples, ways), (Samples::Range { first: 2, count: 3 }, AskedWays::All(Way::raw(Cut::Tensor))));
        assert_eq!(epochs, Epochs::All(Epoch(0)));
        chunk.settle(1);
        assert_eq!(as_asked(chunk.missing()).0, Samples::List(vec![2, 4]));
        assert_eq!(chunk.earliest(), Some(0));
    }

    #[test]
    fn each_sample_is_asked_for_with_its_own_way_and_each_place_with_its_own_epoch() {
        let lossless = Way::new(Cut::Decoded, PixelCoding::Lossless).unwrap();
        let ways = Ways::PerSample(vec![Way::ENCODED, lossless].into());
        let epochs = vec![Epoch(7), Epoch(3), Epoch(8), Epoch(9)].into();
        let addresses = Addresses::Each { seed: Seed(1), epochs };
        // The third is another server's.
        let wish = Wish { indices: list(&[1, 0, 5, 1]), ways, addresses };
        let mut chunk = ChunkSource::new(wish, 0..2, 9, true).next().unwrap();
        let (samples, ways, epochs) = as_asked(chunk.missing());
        assert_eq!(samples, Samples::List(vec![1, 0, 1]));
        assert_eq!(ways, AskedWays::Each(vec![lossless, Way::ENCODED, lossless]));
        assert_eq!(epochs, Epochs::Each(vec![Epoch(7), Epoch(3), Epoch(9)]));
        chunk.settle(0);
        assert_eq!(as_asked(chunk.missing()).2, Epochs::Each(vec![Epoch(3), Epoch(9)]));
        assert!(chunk.at(0).is_none() && chunk.at(2).is_none());
        assert_eq!(chunk.at(3).map(|wanted| (wanted.local, wanted.address)), Some((1, Address::new(1, 9))));
    }
}
