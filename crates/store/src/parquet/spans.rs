//! Values of bytes: ranges of one memory, in each of the encodings.

use std::ops::Range;

use bytes::Bytes;
use headwater_types::ByteCount;

use super::delta;
use super::fault::Fault;

/// Values that are ranges of one memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Spans {
    memory: Bytes,
    spans: Vec<Range<u32>>,
}

// === impl Spans ===

impl Spans {
    pub(super) fn plain(bytes: &Bytes, count: usize) -> Result<Self, Fault> {
        let short = || Fault::Short("a value in a page");
        let mut spans = Vec::with_capacity(count.min(bytes.len() / 4));
        let mut at = 0usize;
        for _ in 0..count {
            let length = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).ok_or_else(short)?;
            let start = at + 4;
            at = start
                .checked_add(u32::from_le_bytes(length) as usize)
                .filter(|&end| end <= bytes.len())
                .ok_or_else(short)?;
            spans.push(start as u32..at as u32);
        }
        Ok(Self { memory: bytes.clone(), spans })
    }

    pub(super) fn delta_length(bytes: &Bytes, count: usize) -> Result<Self, Fault> {
        let (lengths, start) = delta::read(bytes, count)?;
        exact(lengths.len(), count)?;
        let mut at = start as u64;
        let spans = lengths.into_iter().map(|length| {
            let start = at;
            at = u64::try_from(length).ok().and_then(|length| at.checked_add(length))?;
            (at <= bytes.len() as u64).then_some(start as u32..at as u32)
        });
        let spans = spans.collect::<Option<_>>().ok_or(Fault::Short("a value in a page"))?;
        Ok(Self { memory: bytes.clone(), spans })
    }

    /// Values that begin as the one before each does.
    pub(super) fn delta_bytes(bytes: &Bytes, count: usize, room: u64) -> Result<Self, Fault> {
        let (prefixes, start) = delta::read(bytes, count)?;
        let suffixes = Self::delta_length(&bytes.slice(start..), count)?;
        exact(prefixes.len(), count)?;
        let (mut memory, mut spans, mut last) = (Vec::new(), Vec::with_capacity(count), 0..0);
        for (prefix, suffix) in prefixes.into_iter().zip(&suffixes.spans) {
            let prefix = usize::try_from(prefix).ok().filter(|&prefix| prefix <= last.len());
            let prefix = prefix.ok_or(Fault::Broken("a value shares more with the one before than that has"))?;
            let start = memory.len();
            let whole = (start + prefix + suffix.len()) as u64;
            if whole > room.min(u64::from(u32::MAX)) {
                return Err(Fault::Larger(ByteCount::new(whole)));
            }
            memory.extend_from_within(last.start..last.start + prefix);
            memory.extend_from_slice(&suffixes.memory[suffix.start as usize..suffix.end as usize]);
            last = start..memory.len();
            spans.push(start as u32..memory.len() as u32);
        }
        Ok(Self { memory: memory.into(), spans })
    }

    /// The range of each value.
    pub(super) fn all(&self) -> &[Range<u32>] {
        &self.spans
    }

    /// Other ranges of the same memory.
    pub(super) fn with(&self, spans: Vec<Range<u32>>) -> Self {
        Self { memory: self.memory.clone(), spans }
    }

    /// The memory that is held, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.memory.len() + self.spans.capacity() * size_of::<Range<u32>>()
    }

    pub(super) fn get(&self, at: usize) -> Option<&[u8]> {
        let span = self.spans.get(at)?;
        self.memory.get(span.start as usize..span.end as usize)
    }
}

/// Refuses another number of values than there should be.
pub(super) fn exact(given: usize, count: usize) -> Result<(), Fault> {
    if given == count { Ok(()) } else { Err(Fault::Broken("a page has other values than its header says")) }
}
