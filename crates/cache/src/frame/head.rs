//! What stands before a frame's payload: read, and held against the entry's key and the file's length.

use std::ops::Range;

use twox_hash::XxHash3_64;

use super::error::FrameError;
use super::layout::{BYTES, CHECK, CHECKED, CHUNK, HEADER, MAGIC, REFUSED, file_length, front_length};
use crate::key::EntryKey;

/// What a frame's first bytes say, once they were found to be whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHead {
    /// Whether the payload is what was made, or the reason why nothing was.
    pub(crate) made: bool,
    /// Bytes of payload.
    length: usize,
}

// === impl FrameHead ===

impl FrameHead {
    /// Reads and verifies what comes before the payload in a file of `there` bytes, which begins with `start`.
    pub(crate) fn read(start: &[u8], there: u64, key: &EntryKey) -> Result<Self, FrameError> {
        let length = Self::claimed_length(start).ok_or(FrameError::Foreign)?;
        let expected = file_length(length);
        let front = usize::try_from(length).ok().and_then(|length| start.get(..front_length(length)));
        let (Some(front), true) = (front, expected == there) else {
            return Err(FrameError::Length { expected, actual: there });
        };
        if front[24] != key.kind().name().code() || front[32..HEADER] != key.digest().as_bytes()[..] {
            return Err(FrameError::OtherKey);
        }
        if Some(XxHash3_64::oneshot(&front[CHECKED..])) != u64_at(front, MAGIC.len()) {
            return Err(FrameError::Checksum);
        }
        let made = match (front[25], &front[26..32]) {
            (BYTES, [0, 0, 0, 0, 0, 0]) => true,
            (REFUSED, [0, 0, 0, 0, 0, 0]) => false,
            _ => return Err(FrameError::Foreign),
        };
        Ok(Self { made, length: length as usize })
    }

    /// Bytes of payload that a frame claims to have; `None` for what is no frame.
    fn claimed_length(start: &[u8]) -> Option<u64> {
        (start.starts_with(MAGIC) && start.len() >= HEADER).then(|| u64_at(start, 16))?
    }

    /// Bytes that the file of a frame claims to have; `None` for what is no frame.
    pub(crate) fn claimed_file(start: &[u8]) -> Option<u64> {
        Self::claimed_length(start).map(file_length)
    }

    /// Bytes that a frame claims to have before its payload; `None` for what is no frame.
    pub(crate) fn claimed_front(start: &[u8]) -> Option<u64> {
        Self::claimed_length(start).map(|length| file_length(length).saturating_sub(length))
    }

    /// Bytes of payload.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Where a range of the payload lies in the file, once it is widened to whole chunks; `None` where it is not
    /// within.
    pub(crate) fn chunks(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let within = range.start <= range.end && range.end <= self.length;
        let front = front_length(self.length);
        let end = range.end.next_multiple_of(CHUNK).min(self.length);
        within.then(|| front + range.start / CHUNK * CHUNK..front + end)
    }

    /// Whether the chunks in which a range of the payload lies are those that were put. `frame` begins as the file
    /// does.
    pub(crate) fn check(&self, frame: &[u8], range: Range<usize>) -> Result<(), FrameError> {
        let place = self.chunks(&range).ok_or(FrameError::Checksum)?;
        let front = front_length(self.length);
        let payload = frame.get(place.clone()).ok_or(FrameError::Checksum)?;
        let checks = HEADER + (place.start - front) / CHUNK * CHECK..front;
        let checks = frame.get(checks).unwrap_or_default().as_chunks::<CHECK>().0;
        let fits = |(chunk, check): (&[u8], &[u8; CHECK])| XxHash3_64::oneshot(chunk).to_le_bytes() == *check;
        payload.chunks(CHUNK).zip(checks).all(fits).then_some(()).ok_or(FrameError::Checksum)
    }
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
