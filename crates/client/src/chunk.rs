//! A chunk: samples that one worker calls for until all have come.

use std::collections::VecDeque;

use headwater_types::Way;

use crate::live::way_at;
use crate::wanted::Wanted;

/// Samples of one server that one worker calls for until all have come, in the order of the request.
#[derive(Debug)]
pub(crate) struct Chunk {
    missing: VecDeque<Wanted>,
}

// === impl Chunk ===

impl Chunk {
    /// A chunk of these samples, in the order of the request.
    pub(crate) fn new(missing: VecDeque<Wanted>) -> Self {
        Self { missing }
    }

    /// The samples that are still to come, in the order of the request.
    pub(crate) fn missing(&self) -> impl ExactSizeIterator<Item = &Wanted> + Clone {
        self.missing.iter()
    }

    /// Whether all samples have come.
    pub(crate) fn is_settled(&self) -> bool {
        self.missing.is_empty()
    }

    /// Place in the request of the first sample that is still to come.
    pub(crate) fn earliest(&self) -> Option<u64> {
        self.missing.front().map(|wanted| wanted.position)
    }

    /// The sample of this place in the request, if it is still to come.
    pub(crate) fn at(&mut self, position: u64) -> Option<&mut Wanted> {
        let place = self.missing.binary_search_by_key(&position, |wanted| wanted.position).ok()?;
        self.missing.get_mut(place)
    }

    /// Whether this table has another way for some sample that is still to come, in a partition that begins at `first`.
    pub(crate) fn differs(&self, first: u64, ways: &[Way]) -> bool {
        self.missing.iter().any(|wanted| {
            let way = way_at(ways, first.saturating_add(wanted.local));
            way.is_some_and(|way| way != wanted.way)
        })
    }

    /// Gives the samples that are still to come the ways of this table, in a partition that begins at `first`.
    pub(crate) fn replan(&mut self, first: u64, ways: &[Way]) {
        for wanted in &mut self.missing {
            if let Some(way) = way_at(ways, first.saturating_add(wanted.local)) {
                wanted.way = way;
            }
        }
    }

    /// Takes off a sample that has come.
    pub(crate) fn settle(&mut self, position: u64) {
        if let Ok(place) = self.missing.binary_search_by_key(&position, |wanted| wanted.position) {
            self.missing.remove(place);
        }
    }
}
