//! Making room: what gives way, and where it goes.
//!
//! Values leave memory for the SSD in the process that needs their room, without the lock: what comes in waits for what
//! goes out, and nothing is dropped because a queue was full.

use std::time::Duration;

use headwater_policy::Tier;

use super::books::{Books, Room};
use super::counters::Counter;
use super::error::NodeError;
use super::hold::Node;
use super::layout::{Row, State};
use super::sample::seal;

/// Waits for what others are writing, each a millisecond, before a value is given up; and after how many it is looked
/// whether they live.
const WAITS: u32 = 2000;
const LOOK: u32 = 50;
const PAUSE: Duration = Duration::from_millis(1);

/// What came of asking for room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reserved {
    /// The bytes are counted: write the file.
    Yes,
    No,
    Already,
    Busy,
}

// === impl Node ===

impl Node {
    /// Counts the bytes of a value of this length in a tier, once others have given way. `cost` in seconds, where it
    /// is known.
    pub(super) fn reserve(
        &self,
        index: u64,
        tier: Tier,
        length: u64,
        cost: Option<f32>,
    ) -> Result<Reserved, NodeError> {
        self.settle_the_dead_now_and_then()?;
        let mut waits = 0;
        while waits < WAITS {
            let mut books = self.books()?;
            let (row, _) = books.row(index)?;
            if row.state != State::Absent {
                return Ok(Reserved::Already);
            }
            let newcomer = Row { length, cost: cost.unwrap_or(row.cost), ..row };
            match books.room(tier, (index, newcomer))? {
                Room::Free => {
                    let state = if tier == Tier::Memory { State::ToMemory } else { State::ToSsd };
                    books.change(index, &row, Row { state, mover: self.member.number, ..newcomer })?;
                    return Ok(Reserved::Yes);
                }
                Room::None => return Ok(Reserved::No),
                Room::Without(victims) => {
                    let (leaving, all) = self.push_out(&mut books, tier, &victims)?;
                    drop(books);
                    leaving.into_iter().try_for_each(|index| self.demote(index))?;
                    if !all {
                        return Ok(Reserved::No);
                    }
                }
                Room::Later => {
                    drop(books);
                    waits += 1;
                    if waits.is_multiple_of(LOOK) {
                        self.reclaim()?;
                    }
                    std::thread::park_timeout(PAUSE);
                }
            }
        }
        Ok(Reserved::Busy)
    }

    /// Removes values from a tier, or marks them to be demoted, which is for the caller once the lock is given back.
    /// Gives those, and whether the system lets go of all the others.
    fn push_out(&self, books: &mut Books<'_>, tier: Tier, victims: &[u64]) -> Result<(Vec<u64>, bool), NodeError> {
        let mut leaving = Vec::new();
        for &victim in victims {
            let (row, mut uses) = books.row(victim)?;
            if tier == Tier::Memory && self.has_room_below(books, victim, row)? {
                uses.last = self.stamp();
                books.set_uses(victim, uses)?;
                books.change(victim, &row, Row { state: State::Demoting, mover: self.member.number, ..row })?;
                leaving.push(victim);
            } else if !self.evict(books, tier, victim, row)? {
                return Ok((leaving, false));
            }
        }
        Ok((leaving, true))
    }

    /// Whether the SSD has room for a value that leaves memory, once others have left the SSD for it.
    fn has_room_below(&self, books: &mut Books<'_>, index: u64, row: Row) -> Result<bool, NodeError> {
        if !self.tiers.takes_ssd(self.stamp()) {
            return Ok(false);
        }
        match books.room(Tier::Ssd, (index, row))? {
            Room::Free => Ok(true),
            Room::Later | Room::None => Ok(false),
            Room::Without(victims) => {
                for victim in victims {
                    let row = books.row(victim)?.0;
                    if !self.evict(books, Tier::Ssd, victim, row)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    /// Removes a value; `false` where the system refuses.
    fn evict(&self, books: &mut Books<'_>, tier: Tier, index: u64, row: Row) -> Result<bool, NodeError> {
        let Some(values) = self.tiers.of(tier) else { return Ok(false) };
        books.begin()?;
        if let Err(error) = values.remove(index) {
            self.count(self.tiers.refused(tier, "remove from", &error, self.stamp()));
            books.note(index)?;
            return Ok(false);
        }
        self.count(Counter::Evicted);
        books.change(index, &row, Row { state: State::Absent, ..row })?;
        Ok(true)
    }

    /// Copies a value from memory to the SSD, and then removes it from memory.
    fn demote(&self, index: u64) -> Result<(), NodeError> {
        let (memory, ssd) = (&self.tiers.memory, self.tiers.of(Tier::Ssd));
        let copied = (|| {
            let mut file = memory.get(index)?.ok_or(std::io::ErrorKind::NotFound)?;
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut file, &mut bytes)?;
            seal(&mut bytes);
            ssd.map_or(Ok(()), |ssd| ssd.put(index, self.member.number, &[&bytes]))
        })();
        if let Err(error) = &copied {
            self.count(self.tiers.refused(Tier::Ssd, "write to", error, self.stamp()));
        }
        let mut books = self.books()?;
        let (row, _) = books.row(index)?;
        books.begin()?;
        memory.remove(index).map_err(NodeError::io("remove from", &memory.path))?;
        let state = if copied.is_ok() { State::Ssd } else { State::Absent };
        self.count(if copied.is_ok() { Counter::Demoted } else { Counter::Evicted });
        books.change(index, &row, Row { state, mover: 0, ..row })
    }
}
