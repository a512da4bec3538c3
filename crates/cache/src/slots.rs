//! The ledger's numbers: bytes on disk, by shard.
//!
//! ```text
//!  0        8          16                              2064
//! ┌────────┬──────────┬───────────────────────────────┐
//! │ magic  │ checksum │ bytes in shard 00, 01, ... ff │
//! │ 8      │ u64      │ 256 x u64                     │
//! └────────┴──────────┴───────────────────────────────┘
//!
//! magic     "HWUSAGE" and the format's version, 1
//! checksum  XXH3-64 of the 256 numbers; all numbers little endian
//! bytes     2^64 - 1 for a shard that is not counted yet
//! ```

use twox_hash::XxHash3_64;

/// Shards of a folder: a million entries are 4,000 in each.
const SHARDS: usize = 256;
const MAGIC: &[u8; 8] = b"HWUSAGE\x01";
/// Bytes of the magic without the version.
pub(crate) const FAMILY: usize = 7;
/// Where the numbers begin.
const START: usize = 16;
/// Bytes of all of it.
pub(crate) const LENGTH: usize = START + 8 * SHARDS;
/// The number of a shard that is not counted yet.
const UNCOUNTED: u64 = u64::MAX;

/// Bytes in each shard.
#[derive(Debug)]
pub(crate) struct Slots(Box<[u64; SHARDS]>);

/// What the folder takes, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Bytes in the shards that are counted.
    pub(crate) bytes: u64,
    /// Whether all shards are.
    pub(crate) is_all: bool,
}

/// The numbers were written by another version of this program.
#[derive(Debug)]
pub(crate) struct OtherVersion;

// === impl Slots ===

impl Slots {
    /// No shard is counted.
    pub(crate) fn uncounted() -> Self {
        Self(Box::new([UNCOUNTED; SHARDS]))
    }

    /// No shard has anything in it.
    pub(crate) fn empty() -> Self {
        Self(Box::new([0; SHARDS]))
    }

    /// What a file says; `None` for one that is torn, or that is something else.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Self>, OtherVersion> {
        let Some((head, numbers)) = bytes.split_at_checked(START).filter(|(_, rest)| rest.len() == 8 * SHARDS) else {
            return Ok(None);
        };
        if head.starts_with(&MAGIC[..FAMILY]) && !head.starts_with(MAGIC) {
            return Err(OtherVersion);
        }
        if !head.starts_with(MAGIC) || head[8..] != XxHash3_64::oneshot(numbers).to_le_bytes() {
            return Ok(None);
        }
        let mut slots = Self::uncounted();
        for (slot, number) in slots.0.iter_mut().zip(numbers.as_chunks::<8>().0) {
            *slot = u64::from_le_bytes(*number);
        }
        Ok(Some(slots))
    }

    /// What a file is to say.
    pub(crate) fn to_bytes(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[..8].copy_from_slice(MAGIC);
        for (number, slot) in bytes[START..].as_chunks_mut::<8>().0.iter_mut().zip(self.0.iter()) {
            *number = slot.to_le_bytes();
        }
        let checksum = XxHash3_64::oneshot(&bytes[START..]);
        bytes[8..START].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The bytes of all shards that are counted.
    pub(crate) fn taken(&self) -> Taken {
        let counted = self.0.iter().filter(|slot| **slot != UNCOUNTED);
        let bytes = counted.fold(0, |sum: u64, slot| sum.saturating_add(*slot));
        Taken { bytes, is_all: self.0.iter().all(|slot| *slot != UNCOUNTED) }
    }

    pub(crate) fn set(&mut self, shard: u8, bytes: u64) {
        self.0[usize::from(shard)] = bytes;
    }

    /// Changes the number of a shard that is counted. Whoever counts a shard sees what is there then.
    pub(crate) fn change(&mut self, shard: u8, change: impl FnOnce(u64) -> u64) {
        let slot = &mut self.0[usize::from(shard)];
        if *slot != UNCOUNTED {
            *slot = change(*slot);
        }
    }
}
