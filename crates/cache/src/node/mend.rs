//! Putting right what a process left that died in the middle of a change, or between two.

use std::collections::HashMap;

use headwater_policy::Tier;

use super::books::Books;
use super::error::NodeError;
use super::layout::{Row, State};
use super::members::Members;
use super::tiers::Tiers;

/// Counts all rows anew, settles those that the dead were moving or reading, and forgets the dead; `former` is a number
/// whose last holder died, and that a living process has now.
pub(super) fn mend(
    books: &mut Books<'_>,
    tiers: &Tiers,
    members: &Members,
    former: Option<u16>,
) -> Result<(), NodeError> {
    books.begin()?;
    let dead = members.dead().map_err(NodeError::io("ask for", "members".as_ref()))?;
    let mut living = Living { members, former, known: HashMap::new() };
    let counts_files = books.was_cut();
    let (mut changed, mut bytes, mut entries) = (Vec::new(), [0; 2], [0; 2]);
    books.scan(|index, row, _| {
        let after = settled(index, row, tiers, &mut living, counts_files)?;
        if after != row {
            changed.push((index, after));
        }
        Ok(())
    })?;
    for (index, row) in changed {
        books.amend(index, row)?;
    }
    books.scan(|_, row, _| {
        for (at, tier) in Tier::BOTH.into_iter().enumerate() {
            if row.state.counted()[at] {
                bytes[at] += books.taken(tier, row.length);
                entries[at] += 1;
            }
        }
        Ok(())
    })?;
    (books.header.bytes, books.header.entries) = (bytes, entries);
    books.changed(1);
    books.forget_victims();
    living.sweep(tiers, &dead)?;
    members.forget(&dead);
    Ok(())
}

/// Who lives.
struct Living<'a> {
    members: &'a Members,
    former: Option<u16>,
    known: HashMap<u16, bool>,
}

// === impl Living ===

impl Living<'_> {
    fn has(&mut self, number: u16) -> Result<bool, NodeError> {
        if number == 0 || Some(number) == self.former {
            return Ok(false);
        }
        if let Some(known) = self.known.get(&number) {
            return Ok(*known);
        }
        let alive = self.members.is_alive(number).map_err(NodeError::io("ask for", "members".as_ref()))?;
        self.known.insert(number, alive);
        Ok(alive)
    }

    /// Removes what the dead were writing.
    fn sweep(&self, tiers: &Tiers, dead: &[u16]) -> Result<(), NodeError> {
        let known = self.known.iter().filter(|(_, alive)| !**alive).map(|(number, _)| *number);
        for number in known.chain(self.former).chain(dead.iter().copied()) {
            for values in Tier::BOTH.into_iter().filter_map(|tier| tiers.of(tier)) {
                values.sweep(Some(number)).map_err(NodeError::io("sweep", &values.path))?;
            }
        }
        Ok(())
    }
}

/// What a row is once the dead are gone from it.
fn settled(
    index: u64,
    mut row: Row,
    tiers: &Tiers,
    living: &mut Living<'_>,
    counts_files: bool,
) -> Result<Row, NodeError> {
    if row.reader != 0 && !living.has(row.reader)? {
        row.reader = 0;
    }
    let is_moving = matches!(row.state, State::ToMemory | State::ToSsd | State::Demoting);
    if is_moving && !living.has(row.mover)? {
        (row.state, row.mover) = (left_behind(index, row.state, tiers)?, 0);
    }
    let tier = match row.state {
        State::Memory => Tier::Memory,
        State::Ssd => Tier::Ssd,
        State::Absent | State::ToMemory | State::ToSsd | State::Demoting => return Ok(row),
    };
    // A file goes before its row says so.
    if counts_files && !has(tiers, tier, index)? {
        row.state = State::Absent;
    }
    Ok(row)
}

/// Where a value is whose writer died.
fn left_behind(index: u64, state: State, tiers: &Tiers) -> Result<State, NodeError> {
    let remove = |tier| {
        let Some(values) = tiers.of(tier) else { return Ok(false) };
        values.remove(index).map_err(NodeError::io("remove from", &values.path))
    };
    match state {
        State::Demoting if has(tiers, Tier::Memory, index)? => remove(Tier::Ssd).map(|_| State::Memory),
        State::Demoting if has(tiers, Tier::Ssd, index)? => Ok(State::Ssd),
        State::ToMemory => remove(Tier::Memory).map(|_| State::Absent),
        State::ToSsd => remove(Tier::Ssd).map(|_| State::Absent),
        _ => Ok(State::Absent),
    }
}

fn has(tiers: &Tiers, tier: Tier, index: u64) -> Result<bool, NodeError> {
    let Some(values) = tiers.of(tier) else { return Ok(false) };
    values.has(index).map_err(NodeError::io("look into", &values.path))
}
