//! S3-FIFO (Yang et al., SOSP'23): a small queue for what is new, a main queue for what was used again. Who leaves the
//! small queue unused is remembered for a while ([`Ghost`](crate::ghost::Ghost)), and enters the main queue when it
//! comes back.

use crate::slots::Record;
use crate::tier::Tier;

use super::list::List;

/// Part of a tier that the small queue may take.
const SMALL: f64 = 0.1;
/// Most uses that count.
const MOST_USES: u32 = 3;

/// Two queues of one tier.
#[derive(Debug)]
pub(crate) struct S3Fifo {
    tier: Tier,
    small: List,
    main: List,
    small_bytes: u64,
}

// === impl S3Fifo ===

impl S3Fifo {
    pub(crate) fn new(tier: Tier) -> Self {
        Self { tier, small: List::default(), main: List::default(), small_bytes: 0 }
    }

    pub(crate) fn insert(&mut self, records: &mut [Record], slot: u32) {
        let record = &mut records[slot as usize];
        record.uses = 0;
        let (proven, bytes) = (record.proven, record.facts.bytes(self.tier));
        if proven {
            self.main.push(records, slot);
        } else {
            self.small_bytes += bytes;
            self.small.push(records, slot);
        }
    }

    pub(crate) fn remove(&mut self, records: &mut [Record], slot: u32) {
        let record = records[slot as usize];
        if record.proven {
            self.main.remove(records, slot);
        } else {
            self.small_bytes -= record.facts.bytes(self.tier);
            self.small.remove(records, slot);
        }
    }

    pub(crate) fn touch(records: &mut [Record], slot: u32) {
        let uses = &mut records[slot as usize].uses;
        *uses = (*uses + 1).min(MOST_USES);
    }

    /// The next to go. What was used since it came moves on instead: at most four times each, so this ends.
    pub(crate) fn victim(&mut self, records: &mut [Record], size: u64) -> Option<u32> {
        loop {
            let from_small = self.small.oldest().filter(|_| self.small_bytes as f64 > size as f64 * SMALL);
            let slot = from_small.or_else(|| self.main.oldest()).or_else(|| self.small.oldest())?;
            let Record { proven, uses, .. } = records[slot as usize];
            match (proven, uses) {
                (false, 2..) => {
                    self.remove(records, slot);
                    records[slot as usize].proven = true;
                    self.insert(records, slot);
                }
                (true, 1..) => {
                    self.main.remove(records, slot);
                    self.main.push(records, slot);
                    records[slot as usize].uses = uses - 1;
                }
                _ => return Some(slot),
            }
        }
    }
}
