//! The epoch that a job is in: how far it is, what it has taken, and when it comes to a sample again.

use std::ops::Range;
use std::time::Duration;

use headwater_types::Address;

use super::order::{EpochOrder, OrderSettings};
use super::pace::Pace;
use super::taken::Taken;

/// An epoch of a known order.
#[derive(Debug)]
pub(crate) struct Underway {
    order: EpochOrder,
    next: Option<EpochOrder>,
    /// What is before this position is done.
    position: u64,
    taken: Taken,
    pace: Pace,
}

// === impl Underway ===

impl Underway {
    /// An epoch that begins, or is gone on with, at this position; `before` is the job's epoch before this one.
    pub(crate) fn new(order: EpochOrder, position: u64, now: Duration, before: Option<&Self>) -> Self {
        let part = &order.settings().part;
        let taken = Taken::none(part.end.saturating_sub(part.start));
        let pace = Pace::new(now, position, order.len(), before.map(|before| &before.pace));
        Self { next: order.next(), taken, pace, position, order }
    }

    pub(crate) fn address(&self) -> Address {
        self.order.settings().address
    }

    pub(crate) fn is_of(&self, order: &EpochOrder) -> bool {
        self.order == *order
    }

    /// What is before this position is done. Whether times must be computed anew.
    pub(crate) fn advance(&mut self, now: Duration, position: u64) -> bool {
        self.position = position.min(self.order.len());
        self.pace.measure(now, self.position)
    }

    /// Notes that the job has taken a sample.
    pub(crate) fn take(&self, sample: u64) -> bool {
        self.taken.take(sample)
    }

    /// When the job takes a sample in this epoch, in microseconds; `None` where it does not any more.
    pub(crate) fn use_now(&self, sample: u64) -> Option<u64> {
        let here = self.order.position_of(sample);
        let position = here.filter(|&position| position >= self.position && !self.taken.has(sample))?;
        Some(self.pace.when(position))
    }

    /// When the job takes a sample in the epoch that follows.
    pub(crate) fn use_later(&self, sample: u64) -> Option<u64> {
        let position = self.next.as_ref()?.position_of(sample)?;
        Some(self.pace.when(self.order.len().saturating_add(position)))
    }

    /// When the job is where it is, in microseconds: none of its accesses to come is before that.
    pub(crate) fn due(&self) -> u64 {
        self.pace.when(self.position)
    }

    /// The samples that come at these positions and have not been taken, in order: positions past the epoch's end are
    /// those of the next.
    pub(crate) fn coming(&self, positions: Range<u64>) -> Vec<u64> {
        let length = self.order.len();
        let at = |position: u64| match position.checked_sub(length) {
            None => self.order.at(position).filter(|&sample| !self.taken.has(sample)),
            Some(position) => self.next.as_ref().and_then(|next| next.at(position)),
        };
        let begin = positions.start.max(self.position);
        (begin..positions.end).filter_map(at).collect()
    }

    /// Positions among which there are so many of this server's samples.
    pub(crate) fn positions_of(&self, samples: u64) -> u64 {
        let OrderSettings { samples: all, part, .. } = self.order.settings();
        let here = u128::from(part.end.saturating_sub(part.start).max(1));
        u64::try_from(u128::from(samples) * u128::from(*all) / here).unwrap_or(u64::MAX)
    }

    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Where this epoch ends, in positions; where `beyond`, the epoch that follows.
    pub(crate) fn horizon(&self, beyond: bool) -> u64 {
        let next = self.next.as_ref().filter(|_| beyond);
        self.order.len().saturating_add(next.map_or(0, EpochOrder::len))
    }
}
