//! Values on their way into the cache, from their origin or from the SSD.

use headwater_policy::Tier;

use super::counters::Counter;
use super::error::NodeError;
use super::hold::{Kept, Node};
use super::layout::{Row, State};
use super::room::Reserved;
use super::sample::{checksum, close, head, parts};

// === impl Node ===

impl Node {
    /// Keeps a sample's value, which this process was to read: its pickle, and the buffers beside it. `seconds` is what
    /// the origin took. Whatever comes of it, others wait for it no longer.
    ///
    /// # Errors
    /// What the system refuses of the table.
    pub fn put(&self, index: u64, pickle: &[u8], buffers: &[&[u8]], seconds: f32) -> Result<Kept, NodeError> {
        let kept = self.try_to_put(index, pickle, buffers, seconds);
        self.abandon(index)?;
        let kept = kept?;
        match kept {
            Kept::InMemory | Kept::OnSsd => self.count(Counter::Admitted),
            Kept::Rejected => self.count(Counter::Rejected),
            Kept::Busy => self.count(Counter::Busy),
            Kept::Already | Kept::Refused => {}
        }
        Ok(kept)
    }

    fn try_to_put(&self, index: u64, pickle: &[u8], buffers: &[&[u8]], seconds: f32) -> Result<Kept, NodeError> {
        let Some((mut head, layout, length)) = head(self.id(index), pickle.len(), buffers) else {
            return Ok(Kept::Rejected);
        };
        let mut kept = Kept::Rejected;
        for tier in [Tier::Memory, Tier::Ssd] {
            if tier == Tier::Ssd && !self.tiers.takes_ssd(self.stamp()) {
                break;
            }
            match self.reserve(index, tier, length as u64, Some(seconds))? {
                Reserved::Yes => {}
                Reserved::No => continue,
                Reserved::Already => return Ok(Kept::Already),
                Reserved::Busy => return Ok(Kept::Busy),
            }
            if tier == Tier::Ssd {
                let sum = checksum(&parts(&head, &layout, pickle, buffers));
                close(&mut head, sum);
            }
            kept = self.write(index, tier, &parts(&head, &layout, pickle, buffers))?;
            if kept != Kept::Refused {
                break;
            }
        }
        Ok(kept)
    }

    /// Writes the file of a value for which there is room, and says so.
    pub(super) fn write(&self, index: u64, tier: Tier, parts: &[&[u8]]) -> Result<Kept, NodeError> {
        let written = match self.tiers.of(tier) {
            Some(values) => values.put(index, self.member.number, parts),
            None => Ok(()),
        };
        if let Err(error) = &written {
            self.count(self.tiers.refused(tier, "write to", error, self.stamp()));
        }
        let mut books = self.books()?;
        let (row, mut uses) = books.row(index)?;
        let state = match (&written, tier) {
            (Err(_), _) => State::Absent,
            (Ok(()), Tier::Memory) => State::Memory,
            (Ok(()), Tier::Ssd) => State::Ssd,
        };
        (uses.count, uses.last) = (uses.count.max(1), self.stamp());
        books.set_uses(index, uses)?;
        books.change(index, &row, Row { state, mover: 0, reader: 0, ..row })?;
        Ok(match (state, tier) {
            (State::Absent, _) => Kept::Refused,
            (_, Tier::Memory) => Kept::InMemory,
            (_, Tier::Ssd) => Kept::OnSsd,
        })
    }

    /// Moves a value that was read from the SSD to memory, where it fits and the policy has it there.
    pub(super) fn promote(&self, index: u64, bytes: &[u8]) -> Result<(), NodeError> {
        let Some(ssd) = self.tiers.of(Tier::Ssd) else { return Ok(()) };
        let mut books = self.books()?;
        let (row, _) = books.row(index)?;
        let is_ready = row.state == State::Ssd && books.fits(Tier::Memory, row.length);
        if !is_ready || !books.would_take(Tier::Memory, (index, row))? {
            return Ok(());
        }
        books.begin()?;
        if let Err(error) = ssd.remove(index) {
            self.count(self.tiers.refused(Tier::Ssd, "remove from", &error, self.stamp()));
            return Ok(());
        }
        // Whoever asks for it from here on waits for this process.
        books.change(index, &row, Row { state: State::Absent, reader: self.member.number, ..row })?;
        drop(books);
        let moved = self.reserve(index, Tier::Memory, row.length, None).and_then(|reserved| match reserved {
            Reserved::Yes => self.write(index, Tier::Memory, &[bytes]),
            Reserved::No | Reserved::Already => Ok(Kept::Rejected),
            Reserved::Busy => Ok(Kept::Busy),
        });
        self.abandon(index)?;
        self.count(if moved? == Kept::InMemory { Counter::Promoted } else { Counter::Evicted });
        Ok(())
    }
}
