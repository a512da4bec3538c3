//! Who reads an absent sample from its origin: one, while the others wait.

use headwater_policy::Tier;

use super::counters::Counter;
use super::error::NodeError;
use super::hold::Node;
use super::layout::{Row, State};

/// What is to be done about a sample that was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lead {
    /// Read it, and then [`Node::put`] or [`Node::abandon`] it.
    Mine,
    /// Look again: it is there now.
    There,
    /// Wait and ask again: another reads or writes it.
    Theirs,
}

// === impl Node ===

impl Node {
    /// Asks to be the one that reads a sample. A reader that died is replaced.
    ///
    /// # Errors
    /// What the system refuses: then read the sample, and do not put it.
    pub fn lead(&self, index: u64) -> Result<Lead, NodeError> {
        let mut books = self.books()?;
        let (row, _) = books.row(index)?;
        let tier = match row.state {
            State::Memory | State::Demoting => Some(Tier::Memory),
            State::Ssd => Some(Tier::Ssd),
            State::Absent | State::ToMemory | State::ToSsd => None,
        };
        if let Some(values) = tier.and_then(|tier| self.tiers.of(tier)) {
            match values.get(index) {
                Ok(Some(_)) => return Ok(Lead::There),
                Ok(None) if row.state == State::Demoting => return Ok(Lead::There),
                // Somebody else has removed it.
                Ok(None) => books.change(index, &row, Row { state: State::Absent, length: 0, ..row })?,
                // A disk that has it, and cannot be read now.
                Err(_) => {}
            }
        }
        let other = if matches!(row.state, State::ToMemory | State::ToSsd) { row.mover } else { row.reader };
        if other != 0 && self.members.is_alive(other).map_err(NodeError::io("ask for", &self.table.path))? {
            return Ok(Lead::Theirs);
        }
        if matches!(row.state, State::ToMemory | State::ToSsd) {
            drop(books);
            self.reclaim()?;
            return Ok(Lead::Theirs);
        }
        let row = books.row(index)?.0;
        books.amend(index, Row { reader: self.member.number, ..row })?;
        Ok(Lead::Mine)
    }

    /// The sample is read from its origin: counts the access.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn origin(&self, index: u64) -> Result<(), NodeError> {
        self.count(Counter::Origin);
        self.used(index)
    }

    /// The sample was not waited for, or the cache could not be asked: counts that.
    pub fn busy(&self) {
        self.count(Counter::Busy);
    }

    /// The sample could not be read, or is not to be kept: the next one reads it.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn abandon(&self, index: u64) -> Result<(), NodeError> {
        let mut books = self.books()?;
        let (row, _) = books.row(index)?;
        match row.reader == self.member.number {
            true => books.amend(index, Row { reader: 0, ..row }),
            false => Ok(()),
        }
    }
}
