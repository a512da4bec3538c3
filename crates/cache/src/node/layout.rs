//! The shared table's bytes.
//!
//! ```text
//!  0        4096                135168
//! ┌────────┬───────────────────┬──────────────────────────┐
//! │ header │ counters: 1,024   │ rows: one for each       │
//! │        │ processes x 128 B │ sample, 64 B             │
//! └────────┴───────────────────┴──────────────────────────┘
//!
//! row     0 state u8 | 2 mover u16 | 4 reader u16 | 8 length u64 | 16 cost f32 | 20 importance f32   under the lock
//!        32 last use u64 | 40 uses u32 | 48 next use u64 | 56 the use after it u64                    without it
//! ```
//!
//! All numbers are little endian. `mover` and `reader` are numbers of members, from 1; 0 is nobody. Uses that are not
//! known are 2^64 - 1 in memory, and stored plus one, so that a hole in the file says that nothing is known.

use headwater_policy::PolicyName;

pub(super) const MAGIC: [u8; 8] = *b"HWNODE\0\x01";
/// Bytes of the header, in whole pages.
pub(super) const HEADER: u64 = 4096;
/// Processes that may share one table: some hundred workers of several jobs.
pub(super) const MEMBERS: u16 = 1024;
/// Numbers that each process counts.
pub(super) const COUNTERS: usize = 16;
/// Bytes of one sample's row.
pub(super) const ROW: u64 = 64;
/// Bytes of a row that are written under the lock.
pub(super) const LOCKED: usize = 32;

/// Bytes of a table for so many samples.
pub(super) const fn table_bytes(samples: u64) -> u64 {
    rows_at().saturating_add(samples.saturating_mul(ROW))
}

pub(super) const fn rows_at() -> u64 {
    HEADER + MEMBERS as u64 * COUNTERS as u64 * 8
}

/// What holds for all samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) samples: u64,
    /// Most bytes of values in memory and on the SSD.
    pub(super) limits: [u64; 2],
    /// Bytes of values in memory and on the SSD, those that are being written included.
    pub(super) bytes: [u64; 2],
    /// Values in memory and on the SSD.
    pub(super) entries: [u64; 2],
    /// Bytes of a block of either file system.
    pub(super) blocks: [u64; 2],
    pub(super) policy: PolicyName,
    /// Whether reports may still choose the policy.
    pub(super) is_open: bool,
    /// Somebody is changing rows: where nobody holds the lock, a change was cut.
    pub(super) is_changing: bool,
    /// Values that came or went.
    pub(super) changes: u64,
    /// Accesses that were announced.
    pub(super) announced: u64,
    /// By which the SSD's folder knows this table.
    pub(super) token: u64,
    /// Nanoseconds of the machine's clock from which uses are counted.
    pub(super) born: u64,
    pub(super) identity: [u8; 32],
}

/// Where a sample's value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Absent,
    Memory,
    Ssd,
    /// Being written to memory, its bytes counted.
    ToMemory,
    /// Being written to the SSD, its bytes counted.
    ToSsd,
    /// In memory, and being written to the SSD: its bytes are counted in both.
    Demoting,
}

/// What is changed under the lock.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Row {
    pub(super) state: State,
    /// Who is writing it.
    pub(super) mover: u16,
    /// Who is reading it from the origin.
    pub(super) reader: u16,
    /// Bytes of its frame.
    pub(super) length: u64,
    /// Seconds that the origin took.
    pub(super) cost: f32,
    /// 1 where nobody reports.
    pub(super) importance: f32,
}

/// What every access changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Uses {
    pub(super) last: u64,
    pub(super) count: u32,
    pub(super) next: Option<u64>,
    pub(super) then: Option<u64>,
}

// === impl Header ===

impl Header {
    pub(super) fn to_bytes(&self) -> [u8; 256] {
        let mut bytes = [0; 256];
        bytes[..8].copy_from_slice(&MAGIC);
        let numbers = [self.samples, self.changes, self.announced, self.token, self.born];
        let all = numbers.into_iter().chain(self.limits).chain(self.bytes).chain(self.entries).chain(self.blocks);
        for (place, number) in bytes[8..].as_chunks_mut::<8>().0.iter_mut().zip(all) {
            *place = number.to_le_bytes();
        }
        bytes[128..160].copy_from_slice(&self.identity);
        // Seven policies.
        let policy = PolicyName::ALL.iter().position(|policy| *policy == self.policy).unwrap_or_default() as u8;
        bytes[160..163].copy_from_slice(&[policy, self.is_open.into(), self.is_changing.into()]);
        bytes
    }

    /// `None` for what is no header of this version.
    pub(super) fn parse(bytes: &[u8; 256]) -> Option<Self> {
        if !bytes.starts_with(&MAGIC) {
            return None;
        }
        let number = |place: usize| u64_at(bytes, 8 + 8 * place);
        let pair = |place| [number(place), number(place + 1)];
        let [samples, changes, announced, token, born] = [number(0), number(1), number(2), number(3), number(4)];
        let [limits, used, entries, blocks] = [pair(5), pair(7), pair(9), pair(11)];
        let policy = *PolicyName::ALL.get(usize::from(bytes[160]))?;
        let (is_open, is_changing) = (bytes[161] == 1, bytes[162] == 1);
        let identity = bytes[128..].first_chunk().copied()?;
        let known = blocks.iter().all(|block| *block > 0);
        known.then_some(Self {
            samples,
            limits,
            bytes: used,
            entries,
            blocks,
            policy,
            is_open,
            is_changing,
            changes,
            announced,
            token,
            born,
            identity,
        })
    }
}

// === impl Row ===

impl Row {
    pub(super) fn to_bytes(self) -> [u8; LOCKED] {
        let mut bytes = [0; LOCKED];
        bytes[0] = self.state.code();
        bytes[2..4].copy_from_slice(&self.mover.to_le_bytes());
        bytes[4..6].copy_from_slice(&self.reader.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.length.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.cost.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.importance.to_le_bytes());
        bytes
    }

    /// What is no row is an absent one.
    pub(super) fn parse(bytes: &[u8; LOCKED]) -> Self {
        let short = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let float = |at: usize| f32::from_le_bytes(bytes[at..].first_chunk().copied().unwrap_or_default());
        Self {
            state: State::of_code(bytes[0]),
            mover: short(2),
            reader: short(4),
            length: u64_at(bytes, 8),
            cost: float(16),
            importance: float(20),
        }
    }
}

// === impl State ===

impl State {
    const ALL: [Self; 6] = [Self::Absent, Self::Memory, Self::Ssd, Self::ToMemory, Self::ToSsd, Self::Demoting];

    fn code(self) -> u8 {
        // Six states.
        Self::ALL.iter().position(|state| *state == self).unwrap_or_default() as u8
    }

    fn of_code(code: u8) -> Self {
        Self::ALL.get(usize::from(code)).copied().unwrap_or_default()
    }

    /// Whether its bytes are counted in memory, and on the SSD.
    pub(super) fn counted(self) -> [bool; 2] {
        let memory = matches!(self, Self::Memory | Self::ToMemory | Self::Demoting);
        [memory, matches!(self, Self::Ssd | Self::ToSsd | Self::Demoting)]
    }
}

// === impl Uses ===

impl Uses {
    pub(super) fn to_bytes(self) -> [u8; LOCKED] {
        let mut bytes = [0; LOCKED];
        let stored = |known: Option<u64>| known.map_or(0, |at| at.saturating_add(1)).to_le_bytes();
        bytes[0..8].copy_from_slice(&self.last.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.count.to_le_bytes());
        bytes[16..24].copy_from_slice(&stored(self.next));
        bytes[24..32].copy_from_slice(&stored(self.then));
        bytes
    }

    pub(super) fn parse(bytes: &[u8; LOCKED]) -> Self {
        let known = |at| u64_at(bytes, at).checked_sub(1);
        let count = u32::from_le_bytes(bytes[8..].first_chunk().copied().unwrap_or_default());
        Self { last: u64_at(bytes, 0), count, next: known(16), then: known(24) }
    }

    /// One more access. The next one is then that which was announced behind it.
    pub(super) fn used(&mut self, now: u64) {
        self.last = self.last.max(now);
        self.count = self.count.saturating_add(1);
        self.next = self.then.take();
    }

    /// One more access is announced, later than those that were before.
    pub(super) fn expect(&mut self, at: u64) {
        if self.next.is_none() {
            self.next = Some(at);
        } else if self.then.is_none() {
            self.then = Some(at);
        }
    }
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let number = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>());
    number.copied().map_or(0, u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let header = Header {
            samples: 1,
            limits: [2, 3],
            bytes: [4, 5],
            entries: [6, 7],
            blocks: [8, 9],
            policy: PolicyName::S3Fifo,
            is_open: true,
            is_changing: false,
            changes: 10,
            announced: 11,
            token: 12,
            born: 14,
            identity: [13; 32],
        };
        assert_eq!(Header::parse(&header.to_bytes()), Some(header));
        assert_eq!(Header::parse(&[0; 256]), None);
        for state in State::ALL {
            let row = Row { state, mover: 3, reader: 4, length: 5, cost: 0.5, importance: 7.0 };
            assert_eq!(Row::parse(&row.to_bytes()), row);
        }
        for (next, then) in [(None, None), (Some(0), None), (Some(7), Some(9))] {
            let uses = Uses { last: 1, count: 2, next, then };
            assert_eq!(Uses::parse(&uses.to_bytes()), uses);
        }
    }

    #[test]
    fn an_access_brings_the_announced_one_behind_it() {
        let mut uses = Uses::parse(&[0; LOCKED]);
        uses.expect(4);
        uses.expect(9);
        uses.expect(11);
        uses.used(100);
        assert_eq!(uses, Uses { last: 100, count: 1, next: Some(9), then: None });
        uses.used(99);
        assert_eq!(uses, Uses { last: 100, count: 2, next: None, then: None });
    }
}
