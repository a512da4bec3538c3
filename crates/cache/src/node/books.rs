//! The table, locked: every change of what is where. It knows bytes and states, and touches no value.
//!
//! Invariant: the header's sums are those of the rows whenever nobody holds the lock, and never above the limits. A
//! change is begun by a mark in the header and ended by another, so that whoever finds the mark without a holder of the
//! lock counts anew.

use std::sync::MutexGuard;

use headwater_policy::{PolicyName, Tier};

use super::error::NodeError;
use super::layout::{Header, Row, State, Uses};
use super::table::Table;
use super::victims::Victims;
use super::worth::{Passed, Worth, place};

/// What one process knows for itself.
#[derive(Debug, Default)]
pub(super) struct Own {
    victims: [Victims; 2],
    /// Changes that were made here.
    changes: u64,
    pub(super) passed: Passed,
    /// By which the victims were chosen.
    policy: Option<PolicyName>,
}

/// The locked table.
#[derive(Debug)]
pub(super) struct Books<'a> {
    table: &'a Table,
    pub(super) header: Header,
    pub(super) own: MutexGuard<'a, Own>,
    is_changing: bool,
    /// Whether a change was cut before the lock was taken.
    was_cut: bool,
    gives_lock_back: bool,
}

/// Whether there is room for a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// There is.
    Free,
    /// There will be, without these.
    Without(Vec<u64>),
    /// There will be when others have written what they are writing.
    Later,
    /// The value is too large, or worth less than what it would push out.
    None,
}

// === impl Books ===

impl<'a> Books<'a> {
    /// Takes the lock. `None` where the file is no table any more.
    pub(super) fn lock(table: &'a Table, own: MutexGuard<'a, Own>) -> Result<Option<Self>, NodeError> {
        table.lock()?;
        Self::locked(table, own).inspect_err(|_| table.unlock())
    }

    /// The same, where this process has the lock.
    pub(super) fn locked(table: &'a Table, own: MutexGuard<'a, Own>) -> Result<Option<Self>, NodeError> {
        let Some(header) = table.header()? else {
            table.unlock();
            return Ok(None);
        };
        let was_cut = header.is_changing;
        let mut books = Self { table, header, own, is_changing: was_cut, was_cut, gives_lock_back: true };
        if books.own.policy.replace(books.header.policy) != Some(books.header.policy) {
            books.forget_victims();
        }
        Ok(Some(books))
    }

    /// Ends the changes, and keeps the lock.
    pub(super) fn keep_locked(mut self) {
        self.gives_lock_back = false;
    }

    /// Whether somebody died in the middle of a change.
    pub(super) fn was_cut(&self) -> bool {
        self.was_cut
    }

    pub(super) fn row(&self, index: u64) -> Result<(Row, Uses), NodeError> {
        self.table.row(index)
    }

    pub(super) fn scan(&self, look: impl FnMut(u64, Row, Uses) -> Result<(), NodeError>) -> Result<(), NodeError> {
        self.table.scan(self.header.samples, look)
    }

    pub(super) fn set_uses(&self, index: u64, uses: Uses) -> Result<(), NodeError> {
        self.table.set_uses(index, uses)
    }

    /// Changes a row, and the sums with it.
    pub(super) fn change(&mut self, index: u64, before: &Row, after: Row) -> Result<(), NodeError> {
        self.begin()?;
        for tier in Tier::BOTH {
            let at = place(tier);
            if before.state.counted()[at] {
                self.header.bytes[at] = self.header.bytes[at].saturating_sub(self.taken(tier, before.length));
                self.header.entries[at] = self.header.entries[at].saturating_sub(1);
            }
            if after.state.counted()[at] {
                self.header.bytes[at] = self.header.bytes[at].saturating_add(self.taken(tier, after.length));
                self.header.entries[at] = self.header.entries[at].saturating_add(1);
            }
        }
        self.table.set_row(index, after)?;
        self.changed(1);
        self.note(index)
    }

    /// Counts changes, by which others see that their victims are not the smallest any more.
    pub(super) fn changed(&mut self, count: u64) {
        self.header.changes = self.header.changes.saturating_add(count);
        self.own.changes = self.own.changes.saturating_add(count);
    }

    /// Changes a row's other facts: not where its value is.
    pub(super) fn amend(&mut self, index: u64, row: Row) -> Result<(), NodeError> {
        self.table.set_row(index, row)
    }

    /// Marks that rows are being changed.
    pub(super) fn begin(&mut self) -> Result<(), NodeError> {
        if !self.is_changing {
            self.header.is_changing = true;
            self.table.set_header(&self.header)?;
            self.is_changing = true;
        }
        Ok(())
    }

    /// Puts a row among the victims, where its value can be one.
    pub(super) fn note(&mut self, index: u64) -> Result<(), NodeError> {
        let (row, uses) = self.row(index)?;
        if let Some(tier) = tier_of(row.state) {
            let worth = Worth::of(&self.header, tier, index, &row, &uses, self.own.passed);
            self.own.victims[place(tier)].note(worth);
        }
        Ok(())
    }

    /// Everything has another worth now.
    pub(super) fn forget_victims(&mut self) {
        self.own.victims.iter_mut().for_each(Victims::forget);
    }

    /// What a value of this length takes in a tier.
    pub(super) fn taken(&self, tier: Tier, length: u64) -> u64 {
        length.next_multiple_of(self.header.blocks[place(tier)].max(1))
    }

    /// Whether a value of this length fits a tier at all.
    pub(super) fn fits(&self, tier: Tier, length: u64) -> bool {
        self.taken(tier, length) <= self.header.limits[place(tier)]
    }

    /// Room for a value in a tier. Nothing is changed; victims that are not taken stay in their order.
    pub(super) fn room(&mut self, tier: Tier, newcomer: (u64, Row)) -> Result<Room, NodeError> {
        let at = place(tier);
        let need = self.taken(tier, newcomer.1.length);
        let (limit, bytes) = (self.header.limits[at], self.header.bytes[at]);
        if need > limit {
            return Ok(Room::None);
        }
        let Some(mut missing) = bytes.saturating_add(need).checked_sub(limit).filter(|missing| *missing > 0) else {
            return Ok(Room::Free);
        };
        if self.header.policy == PolicyName::Static {
            return Ok(Room::None);
        }
        let (row, uses) = (newcomer.1, self.row(newcomer.0)?.1);
        let coming = Worth::of(&self.header, tier, newcomer.0, &row, &uses, self.own.passed);
        let (mut chosen, mut room) = (Vec::new(), Room::Free);
        while missing > 0 {
            let Some((worth, length)) = self.smallest(tier)? else {
                room = Room::Later;
                break;
            };
            // A value that was noted twice is one.
            if chosen.iter().any(|one: &Worth| one.index == worth.index) {
                continue;
            }
            chosen.push(worth);
            if !coming.displaces(self.header.policy, &worth) {
                room = Room::None;
                break;
            }
            missing = missing.saturating_sub(self.taken(tier, length));
        }
        if room == Room::Free {
            return Ok(Room::Without(chosen.into_iter().map(|worth| worth.index).collect()));
        }
        chosen.into_iter().for_each(|worth| self.own.victims[at].note(worth));
        Ok(room)
    }

    /// Whether a tier would take a value, once others have given way.
    pub(super) fn would_take(&mut self, tier: Tier, newcomer: (u64, Row)) -> Result<bool, NodeError> {
        Ok(match self.room(tier, newcomer)? {
            Room::Free | Room::Later => true,
            Room::None => false,
            Room::Without(victims) => {
                for index in victims {
                    self.note(index)?;
                }
                true
            }
        })
    }

    /// The smallest value of a tier, and its length; `None` where there is none, or all are being moved.
    fn smallest(&mut self, tier: Tier) -> Result<Option<(Worth, u64)>, NodeError> {
        let at = place(tier);
        loop {
            let by_others = self.header.changes.saturating_sub(self.own.changes);
            if self.own.victims[at].is_due(by_others, self.header.entries[at]) {
                let found = self.pass(tier)?;
                self.own.victims[at].fill(found, by_others);
            }
            let Some(noted) = self.own.victims[at].next() else {
                if self.own.victims[at].is_of(by_others) {
                    return Ok(None);
                }
                self.own.victims[at].forget();
                continue;
            };
            let (row, uses) = self.row(noted.index)?;
            if tier_of(row.state) != Some(tier) {
                continue;
            }
            let now = Worth::of(&self.header, tier, noted.index, &row, &uses, self.own.passed);
            if now <= noted {
                return Ok(Some((now, row.length)));
            }
            self.own.victims[at].note(now);
        }
    }

    fn pass(&self, tier: Tier) -> Result<Vec<Worth>, NodeError> {
        let mut found = Vec::new();
        self.scan(|index, row, uses| {
            if tier_of(row.state) == Some(tier) {
                found.push(Worth::of(&self.header, tier, index, &row, &uses, self.own.passed));
            }
            Ok(())
        })?;
        Ok(found)
    }
}

impl Drop for Books<'_> {
    fn drop(&mut self) {
        if self.is_changing {
            self.header.is_changing = false;
            // Where that fails, the mark stays, and the next one counts anew.
            let _ = self.table.set_header(&self.header);
        }
        if self.gives_lock_back {
            self.table.unlock();
        }
    }
}

/// The tier in which a value can be a victim.
fn tier_of(state: State) -> Option<Tier> {
    match state {
        State::Memory => Some(Tier::Memory),
        State::Ssd => Some(Tier::Ssd),
        State::Absent | State::ToMemory | State::ToSsd | State::Demoting => None,
    }
}
