//! What is to be done on the disk, in the order in which the books decided it.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::name::EntryName;

/// Something to be done on the disk for one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Write an entry that waits, if it still waits under this ticket.
    Write(EntryName, u64),
    /// Remove an entry's file.
    Remove(EntryName),
}

/// Tasks that wait, and the entries for which somebody is doing one. Invariant: nobody does anything for an entry for
/// which another does something, and tasks for one entry are done in their order.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    queue: VecDeque<Task>,
    /// How many tasks wait for each entry.
    waiting: HashMap<EntryName, u32>,
    in_hand: HashSet<EntryName>,
    /// Removals that wait or are in hand.
    removals: u64,
}

// === impl Task ===

impl Task {
    pub(super) fn name(&self) -> &EntryName {
        match self {
            Self::Write(name, _) | Self::Remove(name) => name,
        }
    }

    pub(super) fn is_removal(&self) -> bool {
        matches!(self, Self::Remove(_))
    }
}

// === impl Tasks ===

impl Tasks {
    pub(super) fn push(&mut self, task: Task) {
        *self.waiting.entry(*task.name()).or_default() += 1;
        self.removals += u64::from(task.is_removal());
        self.queue.push_back(task);
    }

    /// The first task that can be done now, of those that `wanted` takes; its entry is then in hand.
    pub(super) fn take(&mut self, wanted: impl Fn(&Task) -> bool) -> Option<Task> {
        let mut passed = HashSet::new();
        let at = self.queue.iter().position(|task| {
            let is_free = wanted(task) && !self.in_hand.contains(task.name()) && !passed.contains(task.name());
            if !is_free {
                passed.insert(*task.name());
            }
            is_free
        })?;
        let task = self.queue.remove(at)?;
        if let Some(others) = self.waiting.get_mut(task.name()) {
            *others -= 1;
            if *others == 0 {
                self.waiting.remove(task.name());
            }
        }
        self.in_hand.insert(*task.name());
        Some(task)
    }

    /// Takes an entry in hand for which nothing is to be done; `false` where something is.
    pub(super) fn begin(&mut self, name: &EntryName) -> bool {
        !self.is_busy(name) && self.in_hand.insert(*name)
    }

    /// The task in hand is done.
    pub(super) fn end(&mut self, task: &Task) {
        self.in_hand.remove(task.name());
        self.removals -= u64::from(task.is_removal());
    }

    /// Whether anything is to be done, or being done, for an entry.
    pub(super) fn is_busy(&self, name: &EntryName) -> bool {
        self.is_in_hand(name) || self.waiting.contains_key(name)
    }

    /// Whether something is being done for an entry.
    pub(super) fn is_in_hand(&self, name: &EntryName) -> bool {
        self.in_hand.contains(name)
    }

    /// Whether files are still to be removed.
    pub(super) fn has_removals(&self) -> bool {
        self.removals > 0
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether nothing waits, and nothing is being done.
    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.in_hand.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::Digest;

    use super::*;
    use crate::kind::Kind;

    fn name(number: u64) -> EntryName {
        EntryName::new(number, &Digest::of(b"here"), &Digest::of(&number.to_le_bytes()), Kind::Encoded)
    }

    #[test]
    fn tasks_for_one_entry_keep_their_order_and_others_pass_them() {
        let mut tasks = Tasks::default();
        let order = [Task::Remove(name(1)), Task::Write(name(1), 7), Task::Write(name(2), 8), Task::Remove(name(1))];
        order.into_iter().for_each(|task| tasks.push(task));
        assert_eq!(tasks.take(|_| true), Some(order[0]));
        assert_eq!(tasks.take(|_| true), Some(order[2]));
        assert_eq!(tasks.take(|_| true), None);
        assert!(!tasks.begin(&name(1)) && !tasks.begin(&name(2)) && tasks.begin(&name(3)));
        tasks.end(&order[0]);
        // A removal that is wanted first does not pass the writing before it.
        assert_eq!(tasks.take(Task::is_removal), None);
        assert_eq!(tasks.take(|_| true), Some(order[1]));
        assert!(tasks.is_busy(&name(1)) && !tasks.is_empty() && tasks.has_removals());
        tasks.end(&order[1]);
        assert_eq!(tasks.take(|_| true), Some(order[3]));
        [order[3], order[2], Task::Write(name(3), 9)].iter().for_each(|task| tasks.end(task));
        assert!(tasks.is_idle() && !tasks.has_removals());
    }
}
