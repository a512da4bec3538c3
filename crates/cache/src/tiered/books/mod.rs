//! Where every entry is, and what is to be done on the disk about it: all that threads share, under one lock, under
//! which nothing waits.
//!
//! ```text
//!               admit ─▶ Memory ── demoted ─▶ Waiting ── written ─▶ Ssd
//!                 │         ▲                    │                   │
//!                 │         └──── promoted ──────┴───────────────────┘
//!                 └─▶ Arriving ── written ─────────────────────────▶ Ssd        each can be evicted
//! ```
//!
//! Invariants: [`Tiers`] decides, and every row is in the tier that it says: `Memory` in memory, all others on the SSD.
//! Bytes in memory are those of the tier and of what waits. A file that is not in the books has a task that removes it,
//! or is another process's.

mod moves;

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use headwater_policy::{Facts, Moved, PolicyName, Tier, TierSizes, Tiers, Usage};

use super::row::{Held, Place, Row};
use super::tasks::{Task, Tasks};
use crate::entry::Entry;
use crate::key::EntryKey;
use crate::kind::KindName;
use crate::name::EntryName;
use crate::outcome::{Outcome, Tally};

/// The books.
pub(super) struct Books {
    tiers: Tiers<EntryName>,
    rows: HashMap<EntryName, Row, BuildHasherDefault<Plain>>,
    pub(super) tasks: Tasks,
    /// Bytes of entries that wait, or that are being written from memory.
    waiting: u64,
    /// Those of them that were evicted while they are being written.
    leaving: HashMap<EntryName, u64>,
    usage: [[Usage; KindName::ALL.len()]; 2],
    tickets: u64,
    /// Memory for what an access moves.
    moved: Vec<Moved<EntryName>>,
}

/// Names are of digests: a part of one is as good as a hash of it.
#[derive(Default)]
pub(super) struct Plain(u64);

// === impl Books ===

impl Books {
    pub(super) fn new(policy: PolicyName, sizes: TierSizes) -> Self {
        let (rows, tasks, waiting, leaving, usage, tickets, moved) = Default::default();
        Self { tiers: Tiers::new(policy, sizes), rows, tasks, waiting, leaving, usage, tickets, moved }
    }

    /// Bytes in memory.
    pub(super) fn held(&self) -> u64 {
        self.tiers.usage(Tier::Memory).bytes + self.waiting
    }

    /// Bytes of entries that wait to be written, or are being written.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting
    }

    pub(super) fn usage(&self, tier: Tier, kind: KindName) -> Usage {
        self.usage[tier as usize][kind.place()]
    }

    /// An entry whose bytes are here, and the tier that it is in. Counts the access.
    pub(super) fn access_here(&mut self, key: &EntryKey, tally: &Tally) -> Option<(Entry, Tier)> {
        let (held, tier) = match &self.rows.get(key.name())?.place {
            Place::Memory(held) => (held, Tier::Memory),
            Place::Waiting(held) => (held, Tier::Ssd),
            Place::Arriving | Place::Ssd => return None,
        };
        // Another entry whose name is the same.
        if held.key.digest() != key.digest() {
            return None;
        }
        let entry = held.entry.clone();
        self.access(key.name(), None, tally);
        tally.count(if tier == Tier::Memory { Outcome::MemoryHit } else { Outcome::SsdHit }, key.name().kind());
        Some((entry, tier))
    }

    /// Counts an access to an entry. Where it is promoted out of its file, these are its bytes.
    pub(super) fn access(&mut self, name: &EntryName, bytes: Option<Held>, tally: &Tally) -> Option<Tier> {
        let mut moved = std::mem::take(&mut self.moved);
        let tier = self.tiers.access(name, &mut moved);
        self.apply(&mut moved, bytes, tally);
        self.moved = moved;
        tier
    }

    /// Takes in an entry: the tier that it is in, and its ticket where whoever puts it has to write it now.
    pub(super) fn admit(&mut self, held: Held, facts: Facts, tally: &Tally) -> Option<(Tier, u64)> {
        let (name, mut moved) = (*held.key.name(), Vec::new());
        let tier = self.tiers.admit(name, facts, &mut moved);
        self.apply(&mut moved, None, tally);
        let place = match tier? {
            Tier::Memory => Place::Memory(Box::new(held)),
            Tier::Ssd => Place::Arriving,
        };
        Some((tier?, self.insert(name, place, facts.ssd_bytes)))
    }

    /// Takes in an entry that lies in its file already; `false` where the SSD's tier has no place for it.
    pub(super) fn restore(&mut self, name: EntryName, facts: Facts, tally: &Tally) -> bool {
        let mut moved = Vec::new();
        let restored = self.tiers.restore(name, facts, &mut moved);
        self.apply(&mut moved, None, tally);
        if restored {
            self.insert(name, Place::Ssd, facts.ssd_bytes);
        }
        restored
    }

    pub(super) fn update(&mut self, name: &EntryName, change: impl FnOnce(&mut Facts)) {
        self.tiers.update(name, change);
    }

    pub(super) fn advance(&mut self, position: u64) {
        self.tiers.advance(position);
    }

    pub(super) fn has(&self, name: &EntryName) -> bool {
        self.rows.contains_key(name)
    }

    pub(super) fn find(&self, name: &EntryName) -> Option<Tier> {
        self.tiers.find(name)
    }

    /// The ticket of an entry.
    pub(super) fn ticket(&self, name: &EntryName) -> Option<u64> {
        self.rows.get(name).map(|row| row.ticket)
    }

    /// What is to be written for a task, if that is still wanted. Its bytes count as waiting until [`Self::written`].
    pub(super) fn to_write(&self, name: &EntryName, ticket: u64) -> Option<Held> {
        let row = self.rows.get(name).filter(|row| row.ticket == ticket)?;
        match &row.place {
            Place::Waiting(held) => Some(Held::clone(held)),
            _ => None,
        }
    }

    /// An entry was written, or not: whether the file, if there is one, is wanted.
    pub(super) fn written(&mut self, name: &EntryName, ticket: u64, is_there: bool, tally: &Tally) -> bool {
        let Some(row) = self.rows.get_mut(name).filter(|row| row.ticket == ticket) else { return false };
        if !is_there {
            if matches!(row.place, Place::Waiting(_)) {
                tally.count(Outcome::Evicted, name.kind());
            }
            self.forget(name);
            return false;
        }
        self.waiting -= match std::mem::replace(&mut row.place, Place::Ssd) {
            Place::Waiting(held) => held.bytes(),
            _ => 0,
        };
        true
    }

    /// The task in hand for an entry is done.
    pub(super) fn end(&mut self, task: &Task) {
        self.tasks.end(task);
        self.waiting -= self.leaving.remove(task.name()).unwrap_or_default();
    }

    /// Forgets an entry that was not in its file, unless it has moved since it had this ticket; whether it is unknown
    /// now.
    pub(super) fn forget_lost(&mut self, name: &EntryName, ticket: Option<u64>) -> bool {
        match self.rows.get(name) {
            None => ticket.is_none(),
            Some(row) if Some(row.ticket) == ticket && matches!(row.place, Place::Ssd) => {
                self.forget(name);
                true
            }
            Some(_) => false,
        }
    }

    /// Forgets entries whose files are not there: others have removed them.
    pub(super) fn forget_missing(&mut self, there: &HashSet<EntryName>) {
        let missing = |(name, row): &(&EntryName, &Row)| matches!(row.place, Place::Ssd) && !there.contains(*name);
        let missing: Vec<_> = self.rows.iter().filter(missing).map(|(name, _)| *name).collect();
        missing.iter().for_each(|name| self.forget(name));
    }

    /// Removes an entry, and whatever file there is of it.
    pub(super) fn remove(&mut self, name: &EntryName, tally: &Tally) {
        self.tiers.remove(name);
        match self.rows.contains_key(name) {
            true => self.evict(name, tally),
            false => self.tasks.push(Task::Remove(*name)),
        }
    }

    /// Forgets an entry, wherever it is. Its file stays.
    pub(super) fn forget(&mut self, name: &EntryName) {
        self.tiers.remove(name);
        if let Some(row) = self.rows.remove(name) {
            self.count_out(name, &row);
        }
    }

    /// The entries that are dead, with those that have a file to be removed left to whoever removes files.
    pub(super) fn drop_dead(&mut self, is_dead: impl Fn(&EntryName) -> bool, tally: &Tally) {
        let here = |row: &Row| matches!(row.place, Place::Memory(_) | Place::Waiting(_));
        let dead: Vec<_> =
            self.rows.iter().filter(|(name, row)| here(row) && is_dead(name)).map(|(name, _)| *name).collect();
        for name in dead {
            self.forget(&name);
            tally.count(Outcome::Dropped, name.kind());
        }
    }

    /// Evicts from the SSD whoever goes next, until so many bytes are free, though the tier may have room: somebody
    /// else has filled the disk. `false`: there is nobody left.
    pub(super) fn evict_from_ssd(&mut self, bytes: u64, tally: &Tally) -> bool {
        let target = self.tiers.usage(Tier::Ssd).bytes.saturating_sub(bytes);
        let mut moved = Vec::new();
        while self.tiers.usage(Tier::Ssd).bytes > target && self.tiers.evict(Tier::Ssd, &mut moved) {}
        let evicted = !moved.is_empty();
        self.apply(&mut moved, None, tally);
        evicted
    }

    /// Demotes whoever goes next from memory, until its tier has no more bytes than this; `false`: it has not already.
    pub(super) fn demote_to(&mut self, bytes: u64, tally: &Tally) -> bool {
        let (sizes, mut moved) = (self.tiers.sizes(), Vec::new());
        if self.tiers.usage(Tier::Memory).bytes <= bytes {
            return false;
        }
        self.tiers.resize(TierSizes { memory: bytes, ..sizes }, &mut moved);
        self.apply(&mut moved, None, tally);
        self.tiers.resize(sizes, &mut moved);
        true
    }
}

// === impl Plain ===

impl Hasher for Plain {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}
