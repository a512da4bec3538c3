//! The samples of one call, and where the next call's come from.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use headwater_types::{Cut, PixelCoding, SampleIndex};
use headwater_wire::{Cuts, PixelCodings, Samples};
use tokio::time::Instant;

use crate::live::Tables;
use crate::options::ClientOptions;
use crate::request::{CutChoice, Indices, PixelChoice};

/// A sample that is still to come.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Its place in the request, from 0.
    pub(crate) position: u64,
    /// Its index in the server's partition.
    pub(crate) local: u64,
    /// How far the server takes it.
    pub(crate) cut: Cut,
    /// How its pixels may be coded.
    pub(crate) pixels: PixelCoding,
    /// Times that it came as a failure that may pass, and when first.
    pub(crate) failures: u32,
    pub(crate) failing_since: Option<Instant>,
}

/// Samples of one server that one worker sees through, whatever breaks: in the order of the request, no index twice.
#[derive(Debug)]
pub(crate) struct Chunk {
    missing: VecDeque<Wanted>,
}

/// Cuts a request into one server's chunks, in the order of the request.
#[derive(Debug)]
pub(crate) struct ChunkSource {
    indices: Indices,
    cuts: CutChoice,
    pixels: PixelChoice,
    /// The server's indices.
    held: Range<u64>,
    /// Most samples of a chunk.
    size: usize,
    /// The next position to look at.
    cursor: Mutex<u64>,
}

/// How large chunks are.
pub(crate) struct Sizing<'a> {
    pub(crate) options: &'a ClientOptions,
    pub(crate) ordered: bool,
    /// Workers of all servers.
    pub(crate) streams: usize,
}

/// Samples of a chunk that is not worth making smaller: a call costs a round trip.
const SMALL_CHUNK: u64 = 16;

// === impl Sizing ===

impl Sizing<'_> {
    /// Samples in one chunk of a server that has about `share` of the request's samples, of about `bytes` each.
    pub(crate) fn chunk(&self, share: u64, bytes: u64) -> usize {
        let most = self.options.chunk.get() as u64;
        let even = share.div_ceil(self.options.streams_per_server.get() as u64).max(SMALL_CHUNK);
        // In order, chunks ahead of the reader wait whole: together they should fill half the window.
        let room = self.options.window.get() / 2 / bytes.max(1) / self.streams.max(1) as u64;
        let fitting = if self.ordered { room.max(1) } else { u64::MAX };
        usize::try_from(most.min(even).min(fitting)).unwrap_or(usize::MAX)
    }
}

// === impl Chunk ===

impl Chunk {
    /// What is still to come, in the order of the request.
    pub(crate) fn missing(&self) -> impl ExactSizeIterator<Item = &Wanted> + Clone {
        self.missing.iter()
    }

    /// Whether nothing is.
    pub(crate) fn is_settled(&self) -> bool {
        self.missing.is_empty()
    }

    /// Place in the request of the first sample that is still to come.
    pub(crate) fn earliest(&self) -> Option<u64> {
        self.missing.front().map(|wanted| wanted.position)
    }

    /// Finds a sample by its index in the partition: what stands here is no longer asked for twice.
    pub(crate) fn find(&mut self, local: u64) -> Option<&mut Wanted> {
        self.missing.iter_mut().find(|wanted| wanted.local == local)
    }

    /// Whether some sample that is still to come would come another way.
    pub(crate) fn differs(&self, first: u64, tables: &Tables) -> bool {
        self.missing.iter().any(|wanted| {
            let way = tables.of(first.saturating_add(wanted.local));
            way.is_some_and(|way| way != (wanted.cut, wanted.pixels))
        })
    }

    /// Has what is still to come come the way that the plan says, in a partition that begins at `first`.
    pub(crate) fn replan(&mut self, first: u64, tables: &Tables) {
        for wanted in &mut self.missing {
            if let Some(way) = tables.of(first.saturating_add(wanted.local)) {
                (wanted.cut, wanted.pixels) = way;
            }
        }
    }

    /// This sample has come.
    pub(crate) fn settle(&mut self, position: u64) {
        if let Ok(place) = self.missing.binary_search_by_key(&position, |wanted| wanted.position) {
            self.missing.remove(place);
        }
    }
}

/// Samples as a server is asked for them.
pub(crate) fn as_asked<'a>(wanted: impl Iterator<Item = &'a Wanted> + Clone) -> (Samples, Cuts, PixelCodings) {
    let locals: Vec<u64> = wanted.clone().map(|wanted| wanted.local).collect();
    let first = locals.first().copied().unwrap_or(0);
    let consecutive = (first..).zip(&locals).all(|(expected, &local)| local == expected);
    let samples = if consecutive { Samples::Range { first, count: locals.len() } } else { Samples::List(locals) };
    let cuts = Cuts::of(wanted.clone().map(|wanted| wanted.cut).collect());
    (samples, cuts, PixelCodings::of(wanted.map(|wanted| wanted.pixels).collect()))
}

// === impl ChunkSource ===

impl ChunkSource {
    pub(crate) fn new(indices: Indices, cuts: CutChoice, pixels: PixelChoice, held: Range<u64>, size: usize) -> Self {
        let cursor = match &indices {
            Indices::Range(range) => held.start.saturating_sub(range.start),
            Indices::List(_) => 0,
        };
        Self { indices, cuts, pixels, held, size, cursor: Mutex::new(cursor) }
    }

    /// The next chunk; `None` once there is none.
    pub(crate) fn next(&self) -> Option<Chunk> {
        let mut cursor = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        let mut missing = VecDeque::new();
        let mut seen = HashSet::new();
        while missing.len() < self.size {
            let Some(index) = self.index_at(*cursor) else { break };
            if self.held.contains(&index) {
                // An answer names only the index: one call must not ask for the same twice.
                if !seen.insert(index) {
                    break;
                }
                let local = index - self.held.start;
                let (cut, pixels) = (self.cuts.of(index)?, self.pixels.of(index)?);
                missing.push_back(Wanted { position: *cursor, local, cut, pixels, failures: 0, failing_since: None });
            }
            *cursor += 1;
        }
        (!missing.is_empty()).then_some(Chunk { missing })
    }

    fn index_at(&self, position: u64) -> Option<u64> {
        match &self.indices {
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
    use super::*;

    fn source(indices: Indices, cuts: CutChoice, held: Range<u64>, size: usize) -> ChunkSource {
        ChunkSource::new(indices, cuts, PixelCoding::Raw.into(), held, size)
    }

    fn chunks(indices: impl Into<Indices>, held: Range<u64>, size: usize) -> Vec<Vec<(u64, u64)>> {
        let source = source(indices.into(), Cut::Encoded.into(), held, size);
        std::iter::from_fn(|| source.next())
            .map(|chunk| chunk.missing().map(|wanted| (wanted.position, wanted.local)).collect())
            .collect()
    }

    fn list(indices: &[u64]) -> Indices {
        indices.iter().map(|&index| SampleIndex(index)).collect()
    }

    #[test]
    fn a_range_gives_each_server_its_part() {
        assert_eq!(chunks(3..12, 0..5, 4), [vec![(0, 3), (1, 4)]]);
        assert_eq!(chunks(3..12, 5..20, 4), [vec![(2, 0), (3, 1), (4, 2), (5, 3)], vec![(6, 4), (7, 5), (8, 6)]]);
        assert!(chunks(3..12, 20..30, 4).is_empty());
        assert!(chunks(3..3, 0..30, 4).is_empty());
    }

    #[test]
    fn a_list_keeps_its_order_and_no_call_names_an_index_twice() {
        assert_eq!(chunks(list(&[9, 1, 7, 0, 8]), 5..10, 2), [vec![(0, 4), (2, 2)], vec![(4, 3)]]);
        assert_eq!(chunks(list(&[1, 1, 2, 1]), 0..5, 9), [vec![(0, 1)], vec![(1, 1), (2, 2)], vec![(3, 1)]]);
    }

    #[test]
    fn what_is_consecutive_is_asked_for_as_a_range_and_one_cut_as_one() {
        let source = source(Indices::Range(4..7), Cut::Tensor.into(), 2..9, 9);
        let mut chunk = source.next().unwrap();
        let (samples, cuts, pixels) = as_asked(chunk.missing());
        assert_eq!((samples, cuts), (Samples::Range { first: 2, count: 3 }, Cuts::All(Cut::Tensor)));
        assert_eq!(pixels, PixelCodings::All(PixelCoding::Raw));
        chunk.settle(1);
        assert_eq!(as_asked(chunk.missing()).0, Samples::List(vec![2, 4]));
        assert_eq!(chunk.earliest(), Some(0));
    }

    #[test]
    fn each_sample_is_asked_for_with_its_own_cut_and_coding() {
        let cuts = CutChoice::PerSample(vec![Cut::Encoded, Cut::Decoded].into());
        let pixels = PixelChoice::PerSample(vec![PixelCoding::Raw, PixelCoding::Lossless].into());
        let source = ChunkSource::new(list(&[1, 0]), cuts, pixels, 0..2, 9);
        let chunk = source.next().unwrap();
        let (samples, cuts, pixels) = as_asked(chunk.missing());
        assert_eq!((samples, cuts), (Samples::List(vec![1, 0]), Cuts::Each(vec![Cut::Decoded, Cut::Encoded])));
        assert_eq!(pixels, PixelCodings::Each(vec![PixelCoding::Lossless, PixelCoding::Raw]));
    }
}
