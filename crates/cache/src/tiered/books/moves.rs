//! What the tiers decided, carried out in the books.

use headwater_policy::{Moved, Tier};

use super::Books;
use crate::name::EntryName;
use crate::outcome::{Outcome, Tally};
use crate::tiered::row::{Held, Place, Row};
use crate::tiered::tasks::Task;

impl Books {
    /// Carries out in the books what the tiers decided.
    pub(super) fn apply(&mut self, moved: &mut Vec<Moved<EntryName>>, mut bytes: Option<Held>, tally: &Tally) {
        for moved in moved.drain(..) {
            match moved {
                Moved::Demoted(name) => self.demote(&name, tally),
                Moved::Promoted(name) => self.promote(&name, &mut bytes, tally),
                Moved::Evicted(name, _) => self.evict(&name, tally),
            }
        }
    }

    fn demote(&mut self, name: &EntryName, tally: &Tally) {
        let Some(row) = self.rows.remove(name) else { return };
        self.count_out(name, &row);
        if let Place::Memory(held) = row.place {
            self.waiting += held.bytes();
            let ticket = self.insert(*name, Place::Waiting(held), row.ssd_bytes);
            self.tasks.push(Task::Write(*name, ticket));
            tally.count(Outcome::Demoted, name.kind());
        }
    }

    fn promote(&mut self, name: &EntryName, bytes: &mut Option<Held>, tally: &Tally) {
        let Some(row) = self.rows.remove(name) else { return };
        self.count_out(name, &row);
        let held = match row.place {
            Place::Memory(held) | Place::Waiting(held) => Some(held),
            Place::Ssd => {
                self.tasks.push(Task::Remove(*name));
                bytes.take().map(Box::new)
            }
            // Whoever writes it finds it gone, and removes the file.
            Place::Arriving => bytes.take().map(Box::new),
        };
        match held {
            Some(held) => {
                self.insert(*name, Place::Memory(held), row.ssd_bytes);
                tally.count(Outcome::Promoted, name.kind());
            }
            None => {
                self.tiers.remove(name);
            }
        }
    }

    pub(super) fn evict(&mut self, name: &EntryName, tally: &Tally) {
        let Some(row) = self.rows.remove(name) else { return };
        self.count_out(name, &row);
        match row.place {
            Place::Ssd => self.tasks.push(Task::Remove(*name)),
            // Its bytes are in memory until whoever writes it has found out.
            Place::Waiting(held) if self.tasks.is_in_hand(name) => {
                self.waiting += held.bytes();
                *self.leaving.entry(*name).or_default() += held.bytes();
            }
            // Whoever puts it finds out, and counts it.
            Place::Arriving => return,
            Place::Memory(_) | Place::Waiting(_) => {}
        }
        tally.count(Outcome::Evicted, name.kind());
    }

    pub(super) fn insert(&mut self, name: EntryName, place: Place, ssd_bytes: u64) -> u64 {
        self.tickets += 1;
        let row = Row { place, ticket: self.tickets, ssd_bytes };
        let (tier, bytes) = whereabouts(&row);
        let usage = &mut self.usage[tier as usize][name.kind().place()];
        (usage.bytes, usage.entries) = (usage.bytes + bytes, usage.entries + 1);
        self.rows.insert(name, row);
        self.tickets
    }

    pub(super) fn count_out(&mut self, name: &EntryName, row: &Row) {
        let (tier, bytes) = whereabouts(row);
        let usage = &mut self.usage[tier as usize][name.kind().place()];
        (usage.bytes, usage.entries) = (usage.bytes - bytes, usage.entries - 1);
        if let Place::Waiting(held) = &row.place {
            self.waiting -= held.bytes();
        }
    }
}

fn whereabouts(row: &Row) -> (Tier, u64) {
    match &row.place {
        Place::Memory(held) => (Tier::Memory, held.bytes()),
        Place::Waiting(_) | Place::Arriving | Place::Ssd => (Tier::Ssd, row.ssd_bytes),
    }
}
