//! One job: its ranks with their leases, the epoch that it is in, and its losses.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater_types::Address;

use super::losses::Losses;
use super::low::Low;
use super::order::EpochOrder;
use super::underway::Underway;

/// What is known of a job.
#[derive(Debug, Default)]
pub(crate) struct Job {
    ranks: BTreeMap<u32, Rank>,
    /// `None` where the order is not known.
    pub(crate) epoch: Option<Underway>,
    /// Whether the job has said that nobody can compute its order.
    pub(crate) is_unknown: bool,
    pub(crate) losses: Option<Losses>,
    /// Its samples of low importance, where it has asked which these are: other samples may be given in their place.
    pub(crate) low: Option<Low>,
    /// Until when the losses count without a rank that lives.
    pub(crate) reported_until: Duration,
}

/// A rank that has announced something.
#[derive(Clone, Copy, Debug)]
struct Rank {
    until: Duration,
    /// The epoch that it is in, and how much of it is done, as far as it knows.
    at: Option<(Address, u64)>,
}

// === impl Job ===

impl Job {
    /// Whether anything of it still counts.
    pub(crate) fn lives(&self, now: Duration) -> bool {
        self.reported_until > now || self.ranks.values().any(|rank| rank.until > now)
    }

    pub(crate) fn ranks(&self) -> usize {
        self.ranks.len()
    }

    /// Drops ranks whose lease has run out: whether there were any.
    pub(crate) fn expire(&mut self, now: Duration) -> bool {
        let before = self.ranks.len();
        self.ranks.retain(|_, rank| rank.until > now);
        let changed = before != self.ranks.len();
        if self.ranks.is_empty() {
            (self.epoch, self.is_unknown) = (None, false);
        }
        changed
    }

    /// A rank begins a pass of this order at this position; `None`: nobody can compute its order.
    pub(crate) fn begin(&mut self, rank: u32, begun: Option<(EpochOrder, u64)>, until: Duration, now: Duration) {
        let at = begun.as_ref().map(|(order, position)| (order.settings().address, *position));
        self.ranks.insert(rank, Rank { until, at });
        self.is_unknown = begun.is_none();
        match begun {
            None => self.epoch = None,
            Some((order, position)) => {
                // Other ranks have begun the same pass.
                let is_underway = self.epoch.as_ref().is_some_and(|epoch| epoch.is_of(&order));
                if !is_underway || self.restarts(rank, position) {
                    self.epoch = Some(Underway::new(order, position, now, self.epoch.as_ref()));
                }
            }
        }
    }

    /// Whether a rank that begins an epoch which is under way begins it anew: it is alone, and behind where it was.
    fn restarts(&self, rank: u32, position: u64) -> bool {
        let alone = self.ranks.keys().all(|&other| other == rank);
        alone && self.epoch.as_ref().is_some_and(|epoch| position < epoch.position())
    }

    /// A rank has done what is before this position. `None` where it has not begun; else whether times must be computed
    /// anew.
    pub(crate) fn advance(&mut self, rank: u32, at: (Address, u64), until: Duration, now: Duration) -> Option<bool> {
        let known = self.ranks.get_mut(&rank)?;
        known.until = until;
        if known.at.is_none_or(|(address, _)| address != at.0) {
            // A pass of which this server has not heard the beginning.
            return None;
        }
        known.at = Some(at);
        let epoch = self.epoch.as_mut()?;
        let address = epoch.address();
        let positions = self.ranks.values().filter_map(|rank| rank.at.filter(|at| at.0 == address));
        let slowest = positions.map(|(_, position)| position).min()?;
        Some(epoch.advance(now, slowest))
    }

    /// Only prolongs the lease of a rank without a known order. Whether it is one.
    pub(crate) fn prolong(&mut self, rank: u32, until: Duration) -> bool {
        let known = self.ranks.get_mut(&rank).filter(|rank| rank.at.is_none());
        known.map(|rank| rank.until = until).is_some()
    }

    /// A rank is done for good.
    pub(crate) fn end(&mut self, rank: u32, now: Duration) -> bool {
        let had = self.ranks.remove(&rank).is_some();
        if self.ranks.is_empty() {
            (self.epoch, self.is_unknown, self.losses, self.low) = (None, false, None, None);
            self.reported_until = now;
        }
        had
    }
}
