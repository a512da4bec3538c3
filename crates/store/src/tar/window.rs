//! The part of a shard that is in memory, and how much of it is fetched at a time.

use std::ops::Range;

use bytes::Bytes;

use super::header::BLOCK;

/// Bytes of a shard, from some place on.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    start: u64,
    bytes: Bytes,
}

/// How much is fetched: a small piece around each header where contents are large and a fetch costs little, or all of
/// the shard in large pieces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pieces {
    /// A piece that holds a header, and mostly what belongs to it.
    small: u64,
    /// A piece of a shard that is read whole.
    large: u64,
    /// Passing so many bytes costs what another fetch does: shards with smaller contents are read whole.
    worth: u64,
}

// === impl Window ===

impl Window {
    pub(super) fn new(start: u64, bytes: Bytes) -> Self {
        Self { start, bytes }
    }

    /// These bytes; `None` where not all of them are here.
    pub(super) fn get(&self, range: &Range<u64>) -> Option<&[u8]> {
        let from = usize::try_from(range.start.checked_sub(self.start)?).ok()?;
        let to = usize::try_from(range.end.checked_sub(self.start)?).ok()?;
        self.bytes.get(from..to)
    }

    pub(super) fn block(&self, at: u64) -> Option<&[u8; BLOCK as usize]> {
        self.get(&(at..at.checked_add(BLOCK)?))?.first_chunk()
    }
}

// === impl Pieces ===

impl Pieces {
    /// Of a file of this machine: a fetch costs some microseconds, as passing 32 KiB does.
    pub(super) const LOCAL: Self = Self { small: 2 * 1024, large: 256 * 1024, worth: 32 * 1024 };
    /// Of a bucket: a request costs some 30 ms, in which a connection brings megabytes.
    pub(super) const REMOTE: Self = Self { small: 64 * 1024, large: 4 * 1024 * 1024, worth: 2 * 1024 * 1024 };

    /// What to fetch next, so that `needed` is there: much where the content that was just passed to get there, of
    /// `passed` bytes, is small.
    pub(super) fn next(self, needed: &Range<u64>, passed: u64, end: u64) -> Range<u64> {
        let piece = if passed <= self.worth { self.large } else { self.small };
        let stop = needed.start.saturating_add(piece).max(needed.end);
        needed.start..stop.min(end).max(needed.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_gives_what_it_has_and_nothing_else() {
        let window = Window::new(10, Bytes::from_static(b"0123456789"));
        assert_eq!(window.get(&(12..15)), Some(&b"234"[..]));
        for outside in [9..11, 15..21, 20..21, u64::MAX - 1..u64::MAX] {
            assert_eq!(window.get(&outside), None, "{outside:?}");
        }
    }

    #[test]
    fn pieces_are_large_where_little_was_passed() {
        let (pieces, end) = (Pieces::REMOTE, 1 << 40);
        assert_eq!(pieces.next(&(1500..2012), 1000, end), 1500..1500 + pieces.large);
        let (far, long) = (100_000_000..100_000_512, 100_000_000..101_000_000);
        assert_eq!(pieces.next(&far, 99_000_000, end), far.start..far.start + pieces.small);
        assert_eq!(pieces.next(&long, 99_000_000, end), long, "what is needed is there at once");
        assert_eq!(pieces.next(&(end - 512..end), 0, end), end - 512..end);
    }
}
